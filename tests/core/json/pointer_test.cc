#include "core/json/pointer.h"

#include <gtest/gtest.h>

namespace sm::json {
namespace {

std::string at(std::string_view text, std::string_view pointer) {
  auto tokens = parse_pointer(pointer);
  if (!tokens) return "no pointer";
  auto value = find(text, *tokens);
  return value ? std::string(*value) : "nothing";
}

TEST(pointer, the_examples_of_rfc_6901_section_5) {
  std::string_view text =
      R"({"":0," ":7,"a/b":1,"c%d":2,"e^f":3,"foo":["bar","baz"],"g|h":4,"i\\j":5,"k\"l":6,"m~n":8})";
  EXPECT_EQ(at(text, ""), text);
  EXPECT_EQ(at(text, "/foo"), R"(["bar","baz"])");
  EXPECT_EQ(at(text, "/foo/0"), "\"bar\"");
  EXPECT_EQ(at(text, "/"), "0");
  EXPECT_EQ(at(text, "/a~1b"), "1");
  EXPECT_EQ(at(text, "/c%d"), "2");
  EXPECT_EQ(at(text, "/e^f"), "3");
  EXPECT_EQ(at(text, "/g|h"), "4");
  EXPECT_EQ(at(text, "/i\\j"), "5");
  EXPECT_EQ(at(text, "/k\"l"), "6");
  EXPECT_EQ(at(text, "/ "), "7");
  EXPECT_EQ(at(text, "/m~0n"), "8");
}

TEST(pointer, what_is_not_there_is_nothing) {
  for (const char* pointer : {"/foo/2", "/foo/00", "/foo/-", "/foo/", "/foo/1x", "/x", "/foo/0/x",
                              "/foo/99999999999999999999"}) {
    EXPECT_EQ(at(R"({"foo":[1,2]})", pointer), "nothing") << pointer;
  }
}

TEST(pointer, a_text_that_is_no_pointer_is_told) {
  for (const char* pointer : {"a", "a/b", "/~", "/~2", "/a~", "~0"}) {
    EXPECT_FALSE(parse_pointer(pointer)) << pointer;
  }
}

TEST(pointer, tokens_come_back_as_they_were_appended) {
  PointerTokens tokens = {"", "a/b", "~1", "é", "0"};
  std::string pointer;
  for (const std::string& token : tokens) append_token(pointer, token);
  EXPECT_EQ(pointer, "//a~1b/~01/é/0");
  EXPECT_EQ(parse_pointer(pointer), tokens);
}

}  // namespace
}  // namespace sm::json
