#include "core/json/validator.h"

#include <gtest/gtest.h>

#include <string>

namespace sm::json {
namespace {

// Outcome and offset of the whole text, fed in parts of `size` bytes.
std::pair<Outcome, size_t> validate(std::string_view text, size_t size) {
  Validator validator;
  validator.reset();
  for (size_t at = 0; at < text.size(); at += size) {
    Validator::Step step = validator.feed(text.substr(at, size));
    if (step.outcome != Outcome::need_more) return {step.outcome, at + step.offset};
  }
  return {validator.finish().outcome, text.size()};
}

TEST(validator, it_stops_and_goes_on_at_any_byte) {
  std::string_view texts[] = {
      R"({"a":[1,-2.5e+3,0.0,1E5,"x\u00e9\n€😀",true,false,null,{},[]],"b":{"c":[]}}, rest)",
      "12",
      "-0.5e-7 ",
      "0]",
      "\"abc\"x",
      "true,",
      "[[[[]]]]",
  };
  for (std::string_view text : texts) {
    auto whole = validate(text, text.size());
    EXPECT_EQ(whole.first, Outcome::done) << text;
    for (size_t size = 1; size < text.size(); ++size)
      EXPECT_EQ(validate(text, size), whole) << size;
  }
}

TEST(validator, it_agrees_with_the_canonicaliser_on_every_damaged_byte) {
  std::string text = R"({"a":[1,-2.5e+3,0,"x\u00e9\n€😀",true,null,{}],"b":{"c":[false]}})";
  Canonicalizer canonicalizer;
  Arena arena;
  for (size_t at = 0; at < text.size(); ++at) {
    for (char byte : std::string_view("\"\\{}[],:0-.eEtn/u \x01\x80\xC3\xF0\xFF", 24)) {
      std::string damaged = text;
      damaged[at] = byte;
      Canonical expected = canonicalizer.read(damaged, BufferEnd::final, arena);
      auto [outcome, offset] = validate(damaged, 3);
      EXPECT_EQ(outcome, expected.outcome) << damaged;
      EXPECT_EQ(offset, expected.offset) << damaged;
      arena.release_all();
    }
  }
}

TEST(validator, a_million_brackets_are_no_problem) {
  std::string deep;
  for (int i = 0; i < 1000000; ++i) deep += i % 3 == 0 ? "{\"a\":" : "[";
  EXPECT_EQ(validate(deep, 4096), std::pair(Outcome::syntax, deep.size()));
  std::string closed = deep + "1";
  for (int i = 1000000; i-- > 0;) closed += i % 3 == 0 ? '}' : ']';
  EXPECT_EQ(validate(closed, 4096), std::pair(Outcome::done, closed.size()));
  closed.back() = ']';
  EXPECT_EQ(validate(closed, 4096), std::pair(Outcome::syntax, closed.size() - 1));
}

}  // namespace
}  // namespace sm::json
