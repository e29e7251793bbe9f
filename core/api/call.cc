#include "core/api/call.h"

#include <algorithm>

#include "core/base/limits.h"
#include "core/json/canonical.h"

namespace sm::api {
namespace {

std::string_view refusal_detail(json::Refusal refusal) {
  switch (refusal) {
    case json::Refusal::lone_surrogate:
      return "must not contain half of a surrogate pair";
    case json::Refusal::duplicate_key:
      return "must not be named twice";
    case json::Refusal::not_finite:
      return "must not be a number beyond the finite doubles";
    case json::Refusal::too_deep:
      return "must not be nested deeper than 128 levels";
    default:
      return "is too large";
  }
}

bool has_parameter(const Route& route, std::string_view name) {
  return std::any_of(route.parameters.begin(), route.parameters.end(),
                     [&](const Parameter& parameter) { return parameter.name == name; });
}

}  // namespace

Result<Parameters> read_parameters(const Call& call) {
  if (call.request.raw_query().size() > kMaxQueryBytes) {
    return Error{ErrorCode::invalid,
                 "The query takes at most " + std::to_string(kMaxQueryBytes) + " bytes."};
  }
  Parameters known;
  std::vector<FieldError> errors;
  bool reads = call.route->method == "GET";
  for (auto& [name, value] : http::parse_query(call.request.raw_query())) {
    if (!has_parameter(*call.route, name)) {
      if (!reads)
        errors.push_back({FieldError::In::query, name, "is not a parameter of this path"});
      continue;
    }
    if (!known.emplace(name, value).second) {
      errors.push_back({FieldError::In::query, name, "must be given once"});
    }
  }
  if (!errors.empty()) return invalid_body(std::move(errors));
  return known;
}

Result<int64_t> read_integer(std::string_view name, std::string_view value, int64_t low,
                             int64_t high) {
  constexpr size_t kMaxDigits = 15;
  bool digits =
      !value.empty() && value.size() <= kMaxDigits &&
      std::all_of(value.begin(), value.end(), [](char c) { return c >= '0' && c <= '9'; });
  int64_t number = 0;
  for (char digit : digits ? value : std::string_view()) number = number * 10 + (digit - '0');
  if (digits && number >= low && number <= high) return number;
  return invalid_parameter(std::string(name), "must be a whole number from " + std::to_string(low) +
                                                  " to " + std::to_string(high));
}

Result<bool> read_boolean(std::string_view name, std::string_view value) {
  if (value == "true" || value == "false") return value == "true";
  return invalid_parameter(std::string(name), "must be true or false");
}

Error malformed_at(size_t offset) {
  return {ErrorCode::malformed,
          "The byte at offset " + std::to_string(offset) + " cannot continue a JSON text."};
}

Result<std::string> read_json(Invocation& in, const Call& call) {
  Arena::Mark mark = in.arena().mark();
  json::Canonical read = json::canonicalize(call.body, in.arena(), kMaxBodyBytes);
  std::string text(read.text);
  std::string pointer(read.pointer);
  in.arena().release(mark);
  if (read.outcome == json::Outcome::syntax) return malformed_at(read.offset);
  if (read.refusal != json::Refusal::none) {
    return invalid_field(std::move(pointer), std::string(refusal_detail(read.refusal)));
  }
  return text;
}

Status read_nothing(Invocation& in, const Call& call) {
  if (call.body.empty()) return Unit{};
  TRY(std::string canonical, read_json(in, call));
  TRY([[maybe_unused]] Members none, check_shape({"Nothing", {}}, canonical));
  return Unit{};
}

Result<Members> read_members(Invocation& in, const Call& call) {
  TRY(std::string canonical, read_json(in, call));
  return check_shape(*call.route->request_shape, canonical);
}

}  // namespace sm::api
