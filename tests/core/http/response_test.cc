#include "core/http/response.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace sm::http {
namespace {

using Json = nlohmann::ordered_json;

std::string header(const Response& response, std::string_view name) {
  std::string found = "none";
  for (const Header& header : response.respond.headers) {
    if (header.name != name) continue;
    EXPECT_EQ(found, "none") << name << " twice";
    found = header.value;
  }
  return found;
}

TEST(Problem, EveryCodeBecomesADocumentOfItsRow) {
  for (int i = 0; i <= static_cast<int>(ErrorCode::cancelled); ++i) {
    auto code = static_cast<ErrorCode>(i);
    const ErrorInfo& info = error_info(code);
    Response response = problem({code, "What happened: \"…\" \n"});
    EXPECT_EQ(response.respond.status, info.status);
    EXPECT_EQ(response.respond.body, Respond::Body::bytes);
    EXPECT_EQ(header(response, "content-type"), "application/problem+json");
    Json json = Json::parse(response.respond.content, nullptr, false);
    // Where the detail is a column's name, a sentence stands for it.
    bool shown = code != ErrorCode::guard && code != ErrorCode::unique;
    std::string detail = shown ? "What happened: \"…\" \n" : json["detail"].get<std::string>();
    EXPECT_EQ(json, Json({{"type", "urn:sync-manager:problem:" + std::string(info.type)},
                          {"title", info.title},
                          {"status", info.status},
                          {"detail", detail}}));
    EXPECT_EQ(header(response, "retry-after") != "none", info.status == 503) << info.type;
    EXPECT_EQ(header(response, "www-authenticate") != "none", info.status == 401) << info.type;
  }
}

TEST(Problem, FieldsKeepTheirOrderAndSayWhereTheyStand) {
  Response response = problem(invalid_body({{FieldError::In::body, "", "is no object"},
                                            {FieldError::In::query, "limit", "is wrong"},
                                            {FieldError::In::body, "/a~1b/0", "is \"wrong\""}}));
  Json errors = Json::parse(response.respond.content, nullptr, false)["errors"];
  EXPECT_EQ(errors, Json::array({{{"pointer", ""}, {"detail", "is no object"}},
                                 {{"parameter", "limit"}, {"detail", "is wrong"}},
                                 {{"pointer", "/a~1b/0"}, {"detail", "is \"wrong\""}}}));
}

TEST(Response, WhatIsShownOnceIsKeptByNoCache) {
  EXPECT_EQ(header(json_unstored(201, "{}"), "cache-control"), "no-store");
  EXPECT_EQ(header(json(200, "{}"), "cache-control"), "private, no-cache");
  EXPECT_EQ(header(json(200, "{}"), "content-type"), "application/json");
}

TEST(Response, AJsonEndsWithALineFeedAndNothingStaysNothing) {
  EXPECT_EQ(json(200, "{}").respond.content, "{}\n");
  EXPECT_EQ(json_unstored(201, "[]").respond.content, "[]\n");
  EXPECT_EQ(json(200, "").respond.content, "");
}

TEST(Response, NoContentHasNeitherBodyNorType) {
  Response response = no_content(204);
  EXPECT_EQ(response.respond.status, 204);
  EXPECT_EQ(response.respond.body, Respond::Body::none);
  EXPECT_TRUE(response.respond.headers.empty());
}

TEST(Response, AStaticFileMayNotBeFramed) {
  Response response = asset("/docs.html", "text/html; charset=utf-8");
  EXPECT_EQ(response.respond.body, Respond::Body::asset);
  EXPECT_EQ(response.respond.content, "/docs.html");
  EXPECT_NE(header(response, "content-security-policy").find("frame-ancestors 'none'"),
            std::string::npos);
}

TEST(Problem, NamesNoColumn) {
  for (ErrorCode code : {ErrorCode::guard, ErrorCode::unique}) {
    Response response = problem({code, "api_keys.key_hash"});
    EXPECT_EQ(response.respond.content.find("key_hash"), std::string::npos);
  }
}

}  // namespace
}  // namespace sm::http
