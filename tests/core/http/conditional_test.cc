#include "core/http/conditional.h"

#include <gtest/gtest.h>

#include "core/base/limits.h"

namespace sm::http {
namespace {

TEST(EntityTag, IsOneQuotedTextOfKindVersionTenantAndState) {
  std::string tag = entity_tag("tp", TenantId{5}, {7, 0, -1, 9007199254740991});
  EXPECT_EQ(tag, "\"tp" + std::string(kShapeVersion) + "-5-7-0--1-9007199254740991\"");
}

TEST(EntityTag, DifferentStatesHaveDifferentTags) {
  TenantId one{1};
  EXPECT_NE(entity_tag("a", one, {1, 23}), entity_tag("a", one, {12, 3}));
  EXPECT_NE(entity_tag("a", one, {1}), entity_tag("a", one, {1, 0}));
  EXPECT_NE(entity_tag("a", one, {1}), entity_tag("b", one, {1}));
  EXPECT_NE(entity_tag("a", one, {1}), entity_tag("a", TenantId{2}, {1}));
}

TEST(IfNoneMatch, ListsAreReadAsRfc9110Says) {
  const char* kTag = "\"t\"";
  for (const char* list : {"\"t\"", "W/\"t\"", "\"a\",\"t\"", "\"a\" , W/\"t\" , \"b\"", "*", " * ",
                           ",, \"t\"", "\t\"t\"", "\"\",\"t\"", "\"a,b\", \"t\"", "\"a\"\"t\""}) {
    EXPECT_TRUE(names_tag(list, kTag)) << list;
  }
  for (const char* list : {"", " ", ",", "t", "\"T\"", "\"tt\"", "\"", "\"t", "t\"", "w/\"t\"",
                           "W/", "W/t", "W/W/\"t\"", "\"a\", t", "\"a,\"t\"\"x"}) {
    EXPECT_FALSE(names_tag(list, kTag)) << list;
  }
}

Request with(std::string name, std::string value) {
  return {"GET", "/", {{std::move(name), std::move(value)}}, false};
}

TEST(IfMatch, LetsAChangeGoOnWhereItLacksOrNamesTheTag) {
  EXPECT_TRUE(may_change({"PATCH", "/", {}, true}, "\"t\""));
  EXPECT_TRUE(may_change(with("if-match", "\"t\""), "\"t\""));
  EXPECT_TRUE(may_change(with("if-match", "\"a\", W/\"t\""), "\"t\""));
  EXPECT_TRUE(may_change(with("if-match", "*"), "\"t\""));
  EXPECT_FALSE(may_change(with("if-match", "\"a\""), "\"t\""));
  EXPECT_FALSE(may_change(with("if-match", ""), "\"t\""));
  EXPECT_TRUE(may_change(with("if-none-match", "\"a\""), "\"t\"")) << "another header";
}

Response tagged() { return with_header(json(200, "[]"), "etag", "\"t\""); }

TEST(UnlessKnown, WhatTheClientHasIs304WithTheTagAndNoBody) {
  Response response = unless_known(with("if-none-match", "W/\"t\""), tagged());
  EXPECT_EQ(response.respond.status, 304);
  EXPECT_EQ(response.respond.body, Respond::Body::none);
  EXPECT_EQ(response.respond.content, "");
  const char* kFields[][2] = {{"cache-control", "private, no-cache"},
                              {"vary", "x-api-key, authorization"},
                              {"etag", "\"t\""}};
  ASSERT_EQ(response.respond.headers.size(), std::size(kFields));
  for (size_t i = 0; i < std::size(kFields); ++i) {
    EXPECT_EQ(response.respond.headers[i].name, kFields[i][0]);
    EXPECT_EQ(response.respond.headers[i].value, kFields[i][1]);
  }
}

TEST(UnlessKnown, WhatItLacksIsAnswered) {
  for (const Request& request : {with("if-none-match", "\"a\""), with("if-match", "\"t\"")}) {
    Response response = unless_known(request, tagged());
    EXPECT_EQ(response.respond.status, 200);
    EXPECT_EQ(response.respond.content, "[]\n");
  }
  Response untagged = unless_known(with("if-none-match", "*"), json(200, "[]"));
  EXPECT_EQ(untagged.respond.status, 200);
}

TEST(Conditional, OnlyTheFirstTagsOfAListAreLookedAt) {
  std::string others;
  for (size_t i = 0; i + 1 < kMaxEntityTags; ++i) others += "\"x\", ";
  EXPECT_TRUE(names_tag(others + "\"mine\"", "\"mine\""));
  EXPECT_FALSE(names_tag(others + "\"x\", \"mine\"", "\"mine\""));
}

}  // namespace
}  // namespace sm::http
