// One call of one route, as typed values: what a handler is given. Path, method, key, content type,
// size, query and body are settled before a handler runs (serve.cc). The rows that the path names a
// handler reads itself, with whatever else it reads: not_found is what it gives where they are not
// there.
#pragma once

#include <string>
#include <vector>

#include "core/api/parameter.h"
#include "core/api/route.h"
#include "core/api/shape.h"
#include "core/base/ids.h"
#include "core/base/invocation.h"
#include "core/http/request.h"

namespace sm::api {

struct Call {
  const Route* route;
  http::Request request;
  TenantId tenant;           // of the key; 0 where the route takes none
  std::vector<int64_t> ids;  // of the path, in order
  Arguments arguments;       // of the query
  Members members;           // of the body, where the route has a shape for it
};

// The members of a body that was read whole. Errors: malformed with the byte's offset; invalid for
// what JSON allows and we do not, and for what the route's shape does not.
Result<Members> read_members(const Route& route, std::string body);

}  // namespace sm::api
