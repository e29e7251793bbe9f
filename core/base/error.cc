#include "core/base/error.h"

#include "core/base/check.h"
#include "core/base/limits.h"

namespace sm {
namespace {

struct Row {
  ErrorCode code;
  ErrorInfo info;
};

constexpr Row kErrors[] = {
    {ErrorCode::malformed, {400, "malformed", "The body is not a JSON text"}},
    {ErrorCode::unauthorized, {401, "unauthorized", "A valid key is needed"}},
    {ErrorCode::not_administrator,
     {401, "unauthorized-administrator", "The administrator's token is needed"}},
    {ErrorCode::forbidden, {403, "forbidden", "The key does not allow this"}},
    {ErrorCode::not_found, {404, "not-found", "Not found"}},
    {ErrorCode::method_not_allowed, {405, "method-not-allowed", "Method not allowed"}},
    {ErrorCode::precondition_failed,
     {412, "precondition-failed", "The row is not as If-Match says"}},
    {ErrorCode::conflict, {409, "conflict", "Conflict"}},
    {ErrorCode::too_large, {413, "too-large", "The body is too large"}},
    {ErrorCode::unsupported_media, {415, "unsupported-media-type", "Unsupported media type"}},
    {ErrorCode::invalid, {422, "invalid", "The request does not have the expected shape"}},
    {ErrorCode::rate_limited, {429, "rate-limited", "Too many requests"}},
    {ErrorCode::quota_exceeded, {403, "quota-exceeded", "The tenant has all that it may have"}},
    {ErrorCode::not_configured, {503, "not-configured", "This deployment lacks a setting"}},
    {ErrorCode::internal, {500, "internal", "Internal error"}},
    {ErrorCode::unavailable, {503, "unavailable", "The store does not answer"}},
    {ErrorCode::overloaded, {503, "overloaded", "Too much work at once"}},
    {ErrorCode::unknown_outcome, {503, "unknown-outcome", "The connection to the store was lost"}},
    {ErrorCode::guard, {503, "contended", "Too many changes at the same time"}},
    {ErrorCode::unique, {409, "conflict", "Conflict"}},
    {ErrorCode::refused, {500, "internal", "Internal error"}},
    {ErrorCode::cut_off, {400, "cut-off", "The body ended too early"}},
    {ErrorCode::cancelled, {400, "cancelled", "The client left"}},
};

}  // namespace

const ErrorInfo& error_info(ErrorCode code) {
  const Row& row = kErrors[static_cast<size_t>(code)];
  SM_CHECK(row.code == code);
  return row.info;
}

Error not_found() { return {ErrorCode::not_found, "There is nothing here for this key."}; }

Error precondition_failed() {
  return {ErrorCode::precondition_failed, "The row has changed: read it again, and send its ETag."};
}

void FieldErrors::add(FieldError field) {
  ++count_;
  if (kept_.size() < kMaxFieldErrors) kept_.push_back(std::move(field));
}

void FieldErrors::add(FieldErrors others) {
  size_t more = others.count_ - others.kept_.size();
  for (FieldError& field : others.kept_) add(std::move(field));
  count_ += more;
}

Error invalid_body(FieldErrors fields) {
  std::string detail = "See `errors` for what to change.";
  if (fields.count() > kMaxFieldErrors) {
    detail += " They are the first " + std::to_string(kMaxFieldErrors) + " of " +
              std::to_string(fields.count()) + ".";
  }
  return {ErrorCode::invalid, std::move(detail), std::move(fields)};
}

Error invalid_field(std::string pointer, std::string detail) {
  return invalid_body({{FieldError::In::body, std::move(pointer), std::move(detail)}});
}

Error invalid_parameter(std::string name, std::string detail) {
  return invalid_body({{FieldError::In::query, std::move(name), std::move(detail)}});
}

}  // namespace sm
