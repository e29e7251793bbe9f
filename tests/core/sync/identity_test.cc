#include "core/sync/identity.h"

#include <gtest/gtest.h>

#include "core/base/limits.h"

namespace sm::sync {
namespace {

struct Case {
  std::string item;         // canonical
  const char* id_field;     // null: not set
  std::string external_id;  // empty: none
  const char* problem;      // a part of it
};

TEST(Identity, FollowsTheRulesOfTheApi) {
  std::string longest(kMaxIdentityBytes, 'x');
  // 513 bytes in 257 characters.
  std::string many_bytes = "x";
  for (int i = 0; i < 256; ++i) many_bytes += "é";
  const Case kCases[] = {
      {R"({"external_id":"e","id":"i"})", nullptr, "e", ""},
      {R"({"external_id":null,"id":"i"})", nullptr, "i", ""},
      {R"({"id":"i"})", nullptr, "i", ""},
      {R"({"external_id":"e"})", "/ref", "e", ""},
      {R"({"external_id":"e","ref":null})", "/ref", "e", ""},
      {R"({"external_id":"e","ref":"r"})", "/ref", "r", ""},
      {R"({"a":{"b/c":["x","y"]},"id":"i"})", "/a/b~1c/1", "y", ""},
      {R"({"":"empty key","id":"i"})", "/", "empty key", ""},
      // Numbers count as their canonical text.
      {R"({"id":0})", nullptr, "0", ""},
      {R"({"id":1})", nullptr, "1", ""},
      {R"({"id":-1.5})", nullptr, "-1.5", ""},
      {R"({"id":1e+21})", nullptr, "1e+21", ""},
      {R"({"id":123456789012345678901234567890})", nullptr, "123456789012345678901234567890", ""},
      // Strings by their text, escapes resolved.
      {R"({"id":"a\"\\\n"})", nullptr, "a\"\\\n", ""},
      {R"({"id":"grün 😀"})", nullptr, "grün 😀", ""},
      {R"({"id":" "})", nullptr, " ", ""},
      {"{\"id\":\"" + longest + "\"}", nullptr, longest, ""},
      // What is wrong is not passed over.
      {"{\"external_id\":\"" + longest + "x\",\"id\":\"i\"}", nullptr, "", "512 bytes"},
      {"{\"id\":\"" + many_bytes + "\"}", nullptr, "", "512 bytes"},
      {R"({"external_id":"","id":"i"})", nullptr, "", "empty"},
      {R"({"external_id":true,"id":"i"})", nullptr, "", "a string or a number"},
      {R"({"external_id":{},"id":"i"})", nullptr, "", "a string or a number"},
      {R"({"external_id":"e","ref":[]})", "/ref", "", "a string or a number"},
      {R"({"external_id":"e"})", "", "", "a string or a number"},
      {R"({"id":"a\u0000"})", nullptr, "", "U+0000"},
      {R"({})", nullptr, "", "no identity"},
      {R"({"external_id":null,"id":null})", nullptr, "", "no identity"},
      {R"({"nested":{"id":"i"}})", nullptr, "", "no identity"},
      {R"({"ref":null})", "/ref", "", "no identity"},
  };
  for (const Case& one : kCases) {
    std::optional<json::PointerTokens> id_field;
    if (one.id_field != nullptr) id_field = json::parse_pointer(one.id_field);
    Identity found = identity_of(one.item, id_field);
    EXPECT_EQ(found.external_id, one.external_id) << one.item;
    std::string problem = problem_of(found, id_field);
    EXPECT_EQ(problem.empty(), !found.external_id.empty()) << one.item;
    EXPECT_NE(problem.find(one.problem), std::string::npos) << one.item << ": " << problem;
  }
}

TEST(Identity, WhereThereIsNoneItIsSaidWhereItWasLookedFor) {
  auto problem = [](std::string_view item, const char* pointer = nullptr) {
    IdField id_field;
    if (pointer != nullptr) id_field = json::parse_pointer(pointer);
    return problem_of(identity_of(item, id_field), id_field);
  };
  EXPECT_EQ(problem("{}"),
            "it has no identity: neither external_id nor id (the source's config may name another "
            "place, as {\"id_field\": \"/ListingKey\"})");
  EXPECT_EQ(problem(R"({"x":1})", "/a/b"),
            "it has no identity: nothing at /a/b (id_field), and neither external_id nor id");
  EXPECT_EQ(problem(R"({"a":[]})", "/a"),
            "its identity, at /a (id_field), must be a string or a number");
  EXPECT_EQ(problem(R"({"id":""})", "/a"), "its identity, at /id, must not be empty");
  EXPECT_EQ(problem("{}", ""), "its identity, at \"\" (id_field), must be a string or a number");
}

TEST(Identity, OfARefusedItemThatIsNotCertainItIsSaidWhichPlaceIsNot) {
  auto problem = [](std::string_view item, const char* pointer = nullptr) {
    IdField id_field;
    if (pointer != nullptr) id_field = json::parse_pointer(pointer);
    return problem_of(identity_of_refused(item, id_field), id_field);
  };
  EXPECT_EQ(problem(R"({"id":1,"id":2})"),
            "its identity is not certain: a member of /id is there twice, or half of a surrogate "
            "pair");
  EXPECT_EQ(problem(R"({"m":{"k":1,"k":2}})", "/m/k"),
            "its identity is not certain: a member of /m/k is there twice, or half of a surrogate "
            "pair");
  EXPECT_EQ(problem(R"({"id":"a","v":1,"v":2})"), "");
}

TEST(Identity, OfARefusedItemIsTakenOnlyWhereItIsCertain) {
  auto of = [](std::string_view item, const char* pointer = nullptr) {
    IdField id_field;
    if (pointer != nullptr) id_field = json::parse_pointer(pointer);
    return identity_of_refused(item, id_field).external_id;
  };
  EXPECT_EQ(of(R"({"id":"a","v":[]})"), "a");
  EXPECT_EQ(of(R"({"id":0,"v":[]})"), "0");
  EXPECT_EQ(of(R"({"id":[]})"), "") << "what cannot be stored has become a list";
  EXPECT_EQ(of(R"({"external_id":[],"id":"b"})"), "") << "it is not passed over";
  EXPECT_EQ(of(R"({"id":"a","id":"b"})"), "");
  EXPECT_EQ(of(R"({"id":"a","v":1,"v":2})"), "a");
  EXPECT_EQ(of(R"({"external_id":"a","id":1,"id":2})"), "a") << "nobody asks for the id";
  EXPECT_EQ(of(R"({"external_id":null,"external_id":"x","id":1})"), "");
  EXPECT_EQ(of(R"({"m":{"k":1,"k":2}})", "/m/k"), "");
  EXPECT_EQ(of(R"({"m":{"k":1,"o":2,"o":3}})", "/m/k"), "1");
  EXPECT_EQ(of("{\"\xef\xbf\xbd\":1}", "/\xef\xbf\xbd"), "") << "may be half of a pair";
}

TEST(Identity, LevelsAreThoseOfTheDeepestPlace) {
  EXPECT_EQ(identity_levels({}), 1u);
  EXPECT_EQ(identity_levels(json::parse_pointer("")), 1u);
  EXPECT_EQ(identity_levels(json::parse_pointer("/a/b/0")), 3u);
}

}  // namespace
}  // namespace sm::sync
