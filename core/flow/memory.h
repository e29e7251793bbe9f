// What an invocation will take of memory beyond the little that every one may have: it is asked for
// before anything is read, so that a host which has no room lets it wait, or refuses it, and
// nothing is lost.
#pragma once

#include <cstdint>

#include "core/base/invocation.h"
#include "core/base/result.h"

namespace sm::flow {

// More than once is the same as the most that was asked for. Errors: overloaded.
Task<Result<Unit>> reserve_memory(Invocation& in, uint64_t bytes);

// What the values of a body of so many bytes may take while it is read.
uint64_t value_memory(uint64_t body_bytes);

}  // namespace sm::flow
