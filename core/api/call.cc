#include "core/api/call.h"

#include "core/base/limits.h"
#include "core/http/malformed.h"
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
    case json::Refusal::too_many_values:
      return "must have at most 50,000 values, those in its lists and objects counted";
    default:
      return "is too large";
  }
}

// What fits is in the arena.
Result<std::string_view> read_json(Arena& arena, const std::string& body) {
  json::Canonical read = json::canonicalize(body, arena, kMaxBodyBytes, json::kMaxBodyDepth);
  if (read.outcome == json::Outcome::syntax) return http::malformed_body(read.offset, body);
  if (read.refusal != json::Refusal::none) {
    return invalid_field(std::string(read.pointer), std::string(refusal_detail(read.refusal)));
  }
  return read.text;
}

}  // namespace

Result<Members> read_members(const Route& route, std::string body) {
  static constexpr RequestShape kNothing{"Nothing", {}};
  if (route.body.reading == Body::Reading::streamed) return Members();
  bool takes_one = route.body.reading != Body::Reading::nothing;
  if (body.empty()) {
    // A body that the route would ignore is a mistake of the caller's.
    if (!takes_one) return Members();
    if (route.body.reading == Body::Reading::optional) body = "{}";
  }
  // What it takes is needed no more once the members are there.
  Arena arena(kUncheckedBodyBytes);
  TRY(std::string_view canonical, read_json(arena, body));
  body = std::string();
  return check_shape(takes_one ? *route.body.shape : kNothing, canonical);
}

}  // namespace sm::api
