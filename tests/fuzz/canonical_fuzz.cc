// Any bytes, as one value and as the body of an import. What must hold:
//   - the canonical form of a canonical form is itself
//   - the validator and the canonicaliser agree on where a value ends or goes wrong, whatever the
//   parts
//   - the events of an import do not depend on its chunks
//   - a line has the outcome that it has as a text of its own
//   - a merge patch gives a canonical text
// The first byte of the input sets the size of the chunks; the rest is the text.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/arena.h"
#include "core/base/check.h"
#include "core/json/canonical.h"
#include "core/json/cursor.h"
#include "core/json/item_reader.h"
#include "core/json/line_reader.h"
#include "core/json/merge_patch.h"
#include "core/json/rewrite.h"
#include "core/json/validator.h"

namespace {

using namespace sm::json;

// A copy in a place of its own size: the sanitizer sees every read behind it.
class Exact {
 public:
  explicit Exact(std::string_view text) : bytes_(new char[text.size()]), size_(text.size()) {
    text.copy(bytes_.get(), size_);
  }
  std::string_view view() const { return {bytes_.get(), size_}; }

 private:
  std::unique_ptr<char[]> bytes_;
  size_t size_;
};

void check_is_canonical(std::string_view text) {
  sm::Arena arena;
  Canonical again = canonicalize(Exact(text).view(), arena);
  SM_CHECK(again.outcome == Outcome::done && again.refusal == Refusal::none && again.text == text);
}

void check_walks(std::string_view text) {
  SM_CHECK(skip_value(text, 0) == text.size());
  auto descend = [](const RewriteMember& member) -> Rewrite {
    SM_CHECK(quote(member.key).size() >= 2);
    return Rewrite::descend();
  };
  SM_CHECK(rewrite(text, descend) == text);
  check_is_canonical(merge_patch(text, text));
  check_is_canonical(merge_patch("{\"a\":{\"b\":1},\"data\":[1]}", text));
  check_is_canonical(merge_patch(text, "{\"a\":{\"b\":1},\"data\":null}"));
}

void check_validator(std::string_view text, const Canonical& expected, size_t part) {
  Validator validator;
  validator.reset();
  Validator::Step step{Outcome::need_more, 0};
  size_t at = 0;
  for (; at < text.size() && step.outcome == Outcome::need_more; at += part) {
    step = validator.feed(Exact(text.substr(at, part)).view());
    step.offset += at;
  }
  if (step.outcome == Outcome::need_more) step = {validator.finish().outcome, text.size()};
  SM_CHECK(step.outcome == expected.outcome && step.offset == expected.offset);
}

std::string events(ItemStream& reader, std::string_view body, size_t part) {
  sm::Arena arena(1024);
  std::unique_ptr<Exact> chunk;
  std::string out;
  for (size_t at = 0;;) {
    Event event = reader.next(arena);
    if (event.kind == Event::Kind::need_more) {
      if (at == body.size()) {
        reader.finish();
        continue;
      }
      auto next = std::make_unique<Exact>(body.substr(at, part));
      chunk.reset();
      reader.feed(next->view());
      chunk = std::move(next);
      at = std::min(body.size(), at + part);
      continue;
    }
    out += std::to_string(static_cast<int>(event.kind)) + ' ' + std::to_string(event.offset) + ' ';
    if (event.kind != Event::Kind::item) break;
    out += std::to_string(event.index) + ' ';
    out += refusal_name(event.refusal);
    out += event.text;
    arena.release_all();
  }
  for (const ShapeProblem& problem : reader.problems()) {
    out += problem.pointer + std::to_string(static_cast<int>(problem.kind));
  }
  return out;
}

std::string item_events(std::string_view body, size_t part) {
  ItemReader reader;
  return events(reader, body, part);
}

std::string line_events(LastLine last_line, std::string_view body, size_t part) {
  LineReader reader(last_line);
  return events(reader, body, part);
}

void check_line(std::string_view line) {
  sm::Arena arena;
  LineReader reader(LastLine::any);
  reader.feed(line);
  Event event = reader.next(arena);
  if (event.kind == Event::Kind::need_more) {
    reader.finish();
    event = reader.next(arena);
  }
  if (event.kind == Event::Kind::end) {
    SM_CHECK(line.starts_with(kByteOrderMark) || line.find_first_not_of(" \t\r") == line.npos);
    return;
  }
  if (event.kind == Event::Kind::list) return;
  sm::Arena expected_arena;
  Canonical expected = canonicalize(line, expected_arena);
  bool malformed = event.refusal == Refusal::malformed;
  SM_CHECK(event.kind == Event::Kind::item && malformed == (expected.outcome == Outcome::syntax));
  SM_CHECK(malformed ? event.offset == expected.offset : event.refusal == expected.refusal);
  SM_CHECK(event.text == expected.text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  size_t part = data[0] == 0 ? 1 : data[0];
  Exact text({reinterpret_cast<const char*>(data) + 1, size - 1});
  sm::Arena arena;
  Canonicalizer canonicalizer;
  // Twice: the second time with the order of keys that the first has learnt.
  for (int time = 0; time < 2; ++time) {
    Canonical value = canonicalizer.read(text.view(), BufferEnd::final, arena);
    check_validator(text.view(), value, part);
    if (value.outcome != Outcome::done || value.refusal != Refusal::none) break;
    check_is_canonical(value.text);
    if (time == 0) check_walks(value.text);
  }
  std::string body = "{\"data\":[" + std::string(text.view()) + "]}";
  SM_CHECK(item_events(body, part) == item_events(body, body.size()));
  SM_CHECK(item_events(text.view(), part) == item_events(text.view(), size));
  for (LastLine last_line : {LastLine::any, LastLine::value, LastLine::none}) {
    SM_CHECK(line_events(last_line, text.view(), part) ==
             line_events(last_line, text.view(), size));
  }
  if (text.view().find('\n') == std::string_view::npos) check_line(text.view());
  return 0;
}
