// Request bodies: their size, and small ones as a whole. An import reads its own, part by part
// (import.cc).
#pragma once

#include <cstdint>
#include <string>

#include "core/base/invocation.h"
#include "core/base/result.h"
#include "core/http/request.h"

namespace sm::flow {

// Refuses a body by its Content-Length, before any of it is read. Errors: too_large.
Status check_announced_size(const http::Request& request, uint64_t limit);

// The length that the body is known to have at most, before any of it is read: what it announces,
// up to `limit`, or that.
uint64_t announced_size(const http::Request& request, uint64_t limit);

// The whole body, for whose processing memory is reserved first. Errors: overloaded; too_large as
// soon as it passes the limit, cut_off, cancelled.
Task<Result<std::string>> read_body(Invocation& in, uint64_t announced, uint64_t limit);

Error too_large(uint64_t limit);

}  // namespace sm::flow
