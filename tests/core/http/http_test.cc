// Requests, conditional requests and problems.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/http/conditional.h"
#include "core/http/request.h"
#include "core/http/response.h"

namespace sm::http {
namespace {

TEST(Request, SplitsPathAndQuery) {
  Request request{"GET", "/a/b?x=1&y", {}, false};
  EXPECT_EQ(request.path(), "/a/b");
  EXPECT_EQ(request.raw_query(), "x=1&y");
  EXPECT_EQ((Request{"GET", "/a", {}, false}).raw_query(), "");
}

TEST(Query, IsDecodedAndKeepsOrderAndRepetition) {
  auto parameters = parse_query("a=1&b=%C3%A9+x&a=2&&c&d=%zz&e=%ff");
  ASSERT_EQ(parameters.size(), 6u);
  EXPECT_EQ(parameters[1].second, "é x");
  EXPECT_EQ(parameters[2], (std::pair<std::string, std::string>("a", "2")));
  EXPECT_EQ(parameters[3], (std::pair<std::string, std::string>("c", "")));
  EXPECT_EQ(parameters[4].second, "%zz");
  EXPECT_EQ(parameters[5].second, "\xff") << "whoever reads the value finds that it is no UTF-8";
  EXPECT_EQ(parse_query("v=" + encode_query_value("a&=é+ %"))[0].second, "a&=é+ %");
}

TEST(Id, IsDecimalDigitsWithoutSignOrLeadingZero) {
  EXPECT_EQ(parse_id("1"), 1);
  EXPECT_EQ(parse_id("120"), 120);
  EXPECT_EQ(parse_id("99999999999999999999"), 0) << "larger than any id: a row that does not exist";
  for (const char* text : {"", "0", "01", "-1", "+1", "1a", "a", "1 "})
    EXPECT_FALSE(parse_id(text)) << text;
}

TEST(MediaType, HasNoParametersAndNoCase) {
  EXPECT_EQ(media_type("Application/JSON; charset=utf-8"), "application/json");
  EXPECT_EQ(media_type(""), "");
}

TEST(IfNoneMatch, NamesOneOfAListOrAny) {
  std::string tag = entity_tag("p", TenantId{1}, {2});
  EXPECT_TRUE(names_tag(tag, tag));
  EXPECT_TRUE(names_tag("\"x\", W/" + tag, tag));
  EXPECT_TRUE(names_tag("*", tag));
  EXPECT_FALSE(names_tag(std::nullopt, tag));
  for (const char* other : {"", "\"x\"", "x", "\"", "W/", "\"p-1-2"})
    EXPECT_FALSE(names_tag(other, tag)) << other;
  EXPECT_NE(tag, entity_tag("p", TenantId{1}, {3}));
}

TEST(Problem, HasTheShapeOfRfc9457) {
  Response response = problem(invalid_body(
      {{FieldError::In::body, "/a", "is wrong"}, {FieldError::In::query, "limit", "is wrong"}}));
  EXPECT_EQ(response.respond.status, 422);
  auto json = nlohmann::json::parse(response.respond.content, nullptr, false);
  EXPECT_EQ(json["status"], 422);
  EXPECT_EQ(json["errors"][0]["pointer"], "/a");
  EXPECT_EQ(json["errors"][1]["parameter"], "limit");
  EXPECT_EQ(response.respond.headers[0].value, "application/problem+json");
}

TEST(Problem, OfAnOverloadedStoreSaysWhenToTryAgain) {
  Response response = problem({ErrorCode::overloaded, "busy"});
  EXPECT_EQ(response.respond.status, 503);
  bool found = false;
  for (const Header& header : response.respond.headers)
    found = found || header.name == "retry-after";
  EXPECT_TRUE(found);
}

}  // namespace
}  // namespace sm::http
