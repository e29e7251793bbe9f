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
    default:
      return "is too large";
  }
}

Result<std::string> read_json(Invocation& in, const std::string& body) {
  Arena::Mark mark = in.arena().mark();
  json::Canonical read = json::canonicalize(body, in.arena(), kMaxBodyBytes, json::kMaxBodyDepth);
  std::string text(read.text);
  std::string pointer(read.pointer);
  in.arena().release(mark);
  if (read.outcome == json::Outcome::syntax) return http::malformed_body(read.offset, body);
  if (read.refusal != json::Refusal::none) {
    return invalid_field(std::move(pointer), std::string(refusal_detail(read.refusal)));
  }
  return text;
}

}  // namespace

Result<Members> read_members(Invocation& in, const Route& route, const std::string& body) {
  static constexpr RequestShape kNothing{"Nothing", {}};
  switch (route.body.reading) {
    case Body::Reading::nothing: {
      // A body that the route would ignore is a mistake of the caller's.
      if (body.empty()) return Members();
      TRY(std::string canonical, read_json(in, body));
      return check_shape(kNothing, canonical);
    }
    case Body::Reading::whole: {
      TRY(std::string canonical, read_json(in, body));
      return check_shape(*route.body.shape, canonical);
    }
    case Body::Reading::streamed:
      return Members();
  }
  return Members();
}

}  // namespace sm::api
