// One call of one route, from the request's bytes to typed values: what a handler is given, and the
// order in which it asks. Path, method, key, content type and size are settled before a handler
// runs (serve.cc); the handler looks up the ids of the path first (404), then reads parameters and
// body (400, 422), then decides.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/api/shape.h"
#include "core/base/ids.h"
#include "core/base/invocation.h"
#include "core/http/request.h"
#include "core/http/response.h"

namespace sm::api {

struct Route;

struct Call {
  const Route* route;
  http::Request request;
  TenantId tenant;           // of the key; of no meaning where the route is open
  std::vector<int64_t> ids;  // of the path, in order
  std::string body;          // raw, at most 1 MiB; of an import it is read by the flow

  bool is_head() const { return request.method == "HEAD"; }
};

using Handler = Task<Result<http::Response>> (*)(Invocation&, Call);

struct Parameter {
  std::string_view name;
  std::string_view doc;  // empty: known only to be refused, and no part of the API document
};

enum class Access {
  open,
  key,     // X-API-Key of a tenant
  signup,  // open where TENANT_SIGNUP says so, else the administrator's token
};

enum class BodyRule {
  none,  // nothing, or {}
  json,
  merge_patch,  // application/merge-patch+json, too
  import,       // up to 100,000,000 bytes, streamed; kLinesMediaType, too
};

// NDJSON: a property a line.
inline constexpr std::string_view kLinesMediaType = "application/x-ndjson";

// What a successful answer is, for the API document. `file`: a part of a page, which the document
// leaves out.
enum class Answer { row, list, created, deletion, import, sync, cleanup, document, file };

struct Route {
  std::string_view method;
  std::string_view path;  // with {names} where ids stand
  Side side;              // of no meaning where a route has none
  Access access;
  BodyRule body;
  Handler handler;
  std::span<const Parameter> parameters;
  Answer answer;
  const Shape* request_shape;  // null: no body
  const Shape* answer_shape;   // of the row, or of each row of a list
  std::string_view summary;
};

// Every route of the product; routing, 405, access, limits and the API document come from here.
std::span<const Route> routes();

// The values of the route's parameters that were given. Errors: invalid, for one given twice and,
// where the route writes, for unknown ones.
using Parameters = std::map<std::string, std::string, std::less<>>;
Result<Parameters> read_parameters(const Call& call);

// A decimal integer of a range, with the parameter's name in the error.
Result<int64_t> read_integer(std::string_view name, std::string_view value, int64_t low,
                             int64_t high);

// `true` or `false`.
Result<bool> read_boolean(std::string_view name, std::string_view value);

// The body as one canonical JSON text. Errors: malformed with the byte's offset; invalid for what
// JSON allows and we do not.
Result<std::string> read_json(Invocation& in, const Call& call);

// The same, checked against the route's shape.
Result<Members> read_members(Invocation& in, const Call& call);

// For a route without a body: nothing, or {}. A body that the route would ignore is a mistake of
// the caller's.
Status read_nothing(Invocation& in, const Call& call);

// 400 for bytes that are no JSON, with the place of the first that cannot continue a JSON text.
Error malformed_at(size_t offset);

}  // namespace sm::api
