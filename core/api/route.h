// Routes: one row for each method of a path (routes.cc). Routing, 405, access, limits, the shapes
// of bodies and answers, the parameters and the API document come from the row, so none of them
// can say what the others do not.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "core/api/parameter.h"
#include "core/api/shape.h"
#include "core/base/for_document.h"
#include "core/base/invocation.h"
#include "core/base/limits.h"
#include "core/flow/parent.h"
#include "core/http/response.h"

namespace sm::api {

struct Call;

using Handler = Task<Result<http::Response>> (*)(Invocation&, Call);

enum class Access {
  open,           // pages, documents and health: whatever stands in their query is passed over
  key,            // X-API-Key of a tenant
  signup,         // open where TENANT_SIGNUP says so, else the administrator's
  administrator,  // Authorization: Bearer with the administrator's token
};

inline constexpr std::string_view kJsonMediaType = "application/json";
inline constexpr std::string_view kMergePatchMediaType = "application/merge-patch+json";
// NDJSON: a property a line.
inline constexpr std::string_view kLinesMediaType = "application/x-ndjson";

// What a request carries. JSON is always read as such; where a route takes another type, too, that
// is `media_type`.
struct Body {
  enum class Reading {
    nothing,   // nothing, or {}
    optional,  // nothing, or one JSON text of `shape`
    whole,     // one JSON text of `shape`
    streamed,  // read by the flow, which checks it
  };

  Reading reading = Reading::nothing;
  const RequestShape* shape = nullptr;
  std::string_view media_type = {};
  ForDocument<std::string_view> media_example = {};  // a body of that type
  uint64_t limit = kMaxBodyBytes;
};

constexpr Body json_body(const RequestShape& shape) {
  return {.reading = Body::Reading::whole, .shape = &shape};
}

constexpr Body optional_body(const RequestShape& shape) {
  return {.reading = Body::Reading::optional, .shape = &shape};
}

constexpr Body merge_patch_body(const RequestShape& shape) {
  return {.reading = Body::Reading::whole, .shape = &shape, .media_type = kMergePatchMediaType};
}

// What a success gives.
struct Success {
  enum class Form { object, list, page, file };  // `file`: a part of a page
  // `etag`: the answer names its state. A GET then takes If-None-Match, a PATCH If-Match.
  enum class State { untold, etag };

  Form form;
  State state = State::untold;
  int status = 200;
  const ResponseShape* shape = nullptr;  // null: free JSON, or no JSON
  int other_status = 0;                  // of an answer of the same shape, where there is another
};

// Any object that has no ETag; a row with one; a new row, with its Location; all rows.
constexpr Success result(const ResponseShape& shape) {
  return {.form = Success::Form::object, .shape = &shape};
}
constexpr Success row(const ResponseShape& shape) {
  return {.form = Success::Form::object, .state = Success::State::etag, .shape = &shape};
}
constexpr Success created(const ResponseShape& shape, Success::State state) {
  return {.form = Success::Form::object, .state = state, .status = 201, .shape = &shape};
}
constexpr Success list(const ResponseShape& shape) {
  return {.form = Success::Form::list, .state = Success::State::etag, .shape = &shape};
}

struct Route {
  std::string_view method;
  std::string_view path;  // with {names} where ids stand
  Handler handler;
  // What the ids of the path must name. A request whose query or body does not fit is a 404 all
  // the same where they name nothing, and every 404 says which of them does not.
  flow::Parent parent = flow::Parent::none;
  Access access = Access::key;
  std::span<const Parameter> parameters = {};
  Body body = {};
  ForDocument<Success> success;
  ForDocument<std::string_view> conflict = {};  // when the state does not allow it (409)
  ForDocument<std::string_view> tag = {};       // the resource, under which it is listed
  ForDocument<std::string_view> summary = {};

  // Sources and targets share handlers; of no meaning where a path has no ids of either.
  Connector connector() const {
    return path.starts_with("/targets") ? Connector::target : Connector::source;
  }
};

// Every route of the product.
std::span<const Route> routes();

}  // namespace sm::api
