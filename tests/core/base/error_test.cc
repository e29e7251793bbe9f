#include "core/base/error.h"

#include <gtest/gtest.h>

#include <map>

#include "core/base/limits.h"

namespace sm {
namespace {

// A switch without a default: a new code does not compile before it is here.
int status_of_the_api(ErrorCode code) {
  switch (code) {
    case ErrorCode::malformed:
    case ErrorCode::cut_off:
    case ErrorCode::cancelled:
      return 400;
    case ErrorCode::unauthorized:
    case ErrorCode::not_administrator:
      return 401;
    case ErrorCode::forbidden:
    case ErrorCode::quota_exceeded:
      return 403;
    case ErrorCode::not_found:
      return 404;
    case ErrorCode::method_not_allowed:
      return 405;
    case ErrorCode::conflict:
    case ErrorCode::unique:
      return 409;
    case ErrorCode::precondition_failed:
      return 412;
    case ErrorCode::too_large:
      return 413;
    case ErrorCode::unsupported_media:
      return 415;
    case ErrorCode::invalid:
      return 422;
    case ErrorCode::rate_limited:
      return 429;
    case ErrorCode::internal:
    case ErrorCode::refused:
      return 500;
    case ErrorCode::not_configured:
    case ErrorCode::unavailable:
    case ErrorCode::overloaded:
    case ErrorCode::unknown_outcome:
    case ErrorCode::guard:
      return 503;
  }
  return 0;
}

constexpr int kCodes = static_cast<int>(ErrorCode::cancelled) + 1;

TEST(ErrorTable, StandsInTheOrderOfTheCodesWithTheStatusOfTheApi) {
  // error_info traps where a row stands at another code's place.
  for (int i = 0; i < kCodes; ++i) {
    auto code = static_cast<ErrorCode>(i);
    EXPECT_EQ(error_info(code).status, status_of_the_api(code)) << i;
  }
}

TEST(ErrorTable, TypesAreWordsOfAUrnAndOneTypeHasOneStatusAndTitle) {
  std::map<std::string_view, const ErrorInfo*> types;
  for (int i = 0; i < kCodes; ++i) {
    const ErrorInfo& info = error_info(static_cast<ErrorCode>(i));
    EXPECT_EQ(info.type.find_first_not_of("abcdefghijklmnopqrstuvwxyz-"), std::string_view::npos);
    EXPECT_FALSE(info.type.empty());
    EXPECT_FALSE(info.title.empty());
    auto [known, fresh] = types.emplace(info.type, &info);
    if (fresh) continue;
    EXPECT_EQ(known->second->status, info.status) << info.type;
    EXPECT_EQ(known->second->title, info.title) << info.type;
  }
}

TEST(Error, RefusalsNameTheirFields) {
  Error field = invalid_field("/name", "is required");
  EXPECT_EQ(field.code, ErrorCode::invalid);
  ASSERT_EQ(field.fields.kept().size(), 1u);
  EXPECT_EQ(field.fields.kept()[0].in, FieldError::In::body);
  EXPECT_EQ(field.fields.kept()[0].where, "/name");
  EXPECT_EQ(field.fields.kept()[0].detail, "is required");
  Error parameter = invalid_parameter("limit", "is wrong");
  EXPECT_EQ(parameter.code, ErrorCode::invalid);
  ASSERT_EQ(parameter.fields.kept().size(), 1u);
  EXPECT_EQ(parameter.fields.kept()[0].in, FieldError::In::query);
  EXPECT_EQ(parameter.fields.kept()[0].where, "limit");
  EXPECT_EQ(not_found().code, ErrorCode::not_found);
  EXPECT_EQ(precondition_failed().code, ErrorCode::precondition_failed);
}

TEST(Error, FieldsBeyondTheLimitAreCounted) {
  FieldErrors fields;
  for (size_t i = 0; i < kMaxFieldErrors; ++i) {
    fields.add({FieldError::In::body, "/a", "is wrong"});
  }
  EXPECT_EQ(invalid_body(fields).detail.find("first"), std::string::npos);
  fields.add(FieldErrors{{FieldError::In::query, "b", "is wrong"}});
  Error error = invalid_body(fields);
  EXPECT_EQ(error.fields.kept().size(), kMaxFieldErrors);
  EXPECT_NE(error.detail.find("the first 100 of 101"), std::string::npos) << error.detail;
  fields.add(error.fields);
  EXPECT_EQ(fields.count(), 2 * kMaxFieldErrors + 2) << "those that were not kept count, too";
}

}  // namespace
}  // namespace sm
