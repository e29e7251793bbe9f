#include "core/http/request.h"

#include <gtest/gtest.h>

#include "core/http/utf8.h"

namespace sm::http {
namespace {

using Parameters = std::vector<std::pair<std::string, std::string>>;

TEST(Query, PartsWithoutANameOrAValueAreTakenAsTheyStand) {
  EXPECT_EQ(parse_query(""), Parameters{});
  EXPECT_EQ(parse_query("&&&"), Parameters{});
  EXPECT_EQ(parse_query("a"), (Parameters{{"a", ""}}));
  EXPECT_EQ(parse_query("a="), (Parameters{{"a", ""}}));
  EXPECT_EQ(parse_query("=v"), (Parameters{{"", "v"}}));
  EXPECT_EQ(parse_query("a=b=c"), (Parameters{{"a", "b=c"}}));
  EXPECT_EQ(parse_query("a=1?b=2"), (Parameters{{"a", "1?b=2"}}));
  EXPECT_EQ(parse_query("a=1&"), (Parameters{{"a", "1"}}));
}

TEST(Query, NamesAreDecodedToo) {
  EXPECT_EQ(parse_query("dry%5Frun=true&a+b=%2B"), (Parameters{{"dry_run", "true"}, {"a b", "+"}}));
}

TEST(Query, EscapesThatAreNoneStayAsTheyStand) {
  for (const char* value : {"%", "%4", "%4g", "%g4", "100%", "%%41x"}) {
    Parameters parsed = parse_query("v=" + std::string(value));
    ASSERT_EQ(parsed.size(), 1u);
    EXPECT_EQ(parsed[0].second, value == std::string("%%41x") ? "%Ax" : value);
  }
}

TEST(Query, ANameThatIsNoUtf8StaysEncodedAndAValueDoesNot) {
  // Overlong, a surrogate, beyond U+10FFFF, cut off, a lone continuation.
  for (const char* value : {"%C0%80", "%E0%80%80", "%ED%A0%80", "%F4%90%80%80", "%F0%82%82%AC",
                            "%C3", "%E2%82", "%F0%9F%98", "%80", "%C3%28", "%FF"}) {
    Parameters read = parse_query(std::string(value) + "=" + value);
    ASSERT_EQ(read.size(), 1u);
    EXPECT_EQ(read[0].first, value);
    EXPECT_FALSE(is_utf8(read[0].second)) << value;
  }
  const std::pair<const char*, const char*> kGood[] = {
      {"%C2%80", "\u0080"},           {"%DF%BF", "\u07ff"},           {"%E0%A0%80", "\u0800"},
      {"%ED%9F%BF", "\ud7ff"},        {"%EE%80%80", "\ue000"},        {"%EF%BF%BF", "\uffff"},
      {"%F0%90%80%80", "\U00010000"}, {"%F4%8F%BF%BF", "\U0010ffff"},
  };
  for (auto [value, text] : kGood)
    EXPECT_EQ(parse_query("v=" + std::string(value)), (Parameters{{"v", text}})) << value;
}

TEST(Query, EveryByteThatIsEncodedComesBack) {
  for (int byte = 0; byte < 128; ++byte) {
    std::string value(1, static_cast<char>(byte));
    std::string encoded = encode_query_value(value);
    EXPECT_EQ(parse_query("v=" + encoded), (Parameters{{"v", value}})) << byte;
    EXPECT_TRUE(encoded == value || encoded[0] == '%') << byte;
  }
  for (const char* value : {"", "größe 😀 & = + % #", "a/b?c"})
    EXPECT_EQ(parse_query("v=" + encode_query_value(value))[0].second, value);
  EXPECT_EQ(encode_query_value("AZaz09-_.~ é"), "AZaz09-_.~%20%C3%A9");
}

TEST(Request, AHeaderIsTheFirstOfItsName) {
  Request request{"GET", "/", {{"x-a", "1"}, {"x-b", ""}, {"x-a", "2"}}, false};
  EXPECT_EQ(request.header("x-a"), "1");
  EXPECT_EQ(request.header("x-b"), "");
  EXPECT_EQ(request.header("x-c"), std::nullopt);
  EXPECT_EQ(request.header("X-A"), std::nullopt) << "hosts give names in lower case";
}

TEST(Request, OnlyTheFirstQuestionMarkSplits) {
  Request request{"GET", "/a?b?c", {}, false};
  EXPECT_EQ(request.path(), "/a");
  EXPECT_EQ(request.raw_query(), "b?c");
  EXPECT_EQ((Request{"GET", "/a?", {}, false}).raw_query(), "");
  EXPECT_EQ((Request{"GET", "?x", {}, false}).path(), "");
}

TEST(Id, HasUpTo15DigitsAndIsElseThatOfNoRow) {
  EXPECT_EQ(parse_id("999999999999999"), 999999999999999);
  EXPECT_EQ(parse_id("1000000000000000"), 0);
  EXPECT_EQ(parse_id(std::string(10'000, '9')), 0);
  EXPECT_EQ(parse_id(std::string(10'000, '9') + "x"), std::nullopt);
  for (const char* text : {"1.0", "1e3", "0x1", "１", " 1", "1%30", "00", "--1"})
    EXPECT_EQ(parse_id(text), std::nullopt) << text;
}

TEST(MediaType, IsInLowerCaseWithoutBlanks) {
  const std::pair<const char*, const char*> kTypes[] = {
      {"application/json", "application/json"},
      {"\tApplication/Merge-Patch+JSON ", "application/merge-patch+json"},
      {"application/json;charset=utf-8", "application/json"},
      {"application/json ; a=b; c=d", "application/json"},
      {";", ""},
      {"TEXT/PLAIN", "text/plain"},
      {"@[`{", "@[`{"},
  };
  for (auto [given, type] : kTypes) EXPECT_EQ(media_type(given), type);
}

}  // namespace
}  // namespace sm::http
