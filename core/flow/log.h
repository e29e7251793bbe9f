// The log row that every operation leaves, and what it is good for beside reading: it tells whether
// a batch whose outcome is unknown was committed.
#pragma once

#include <string>

#include "core/base/error.h"
#include "core/base/ids.h"
#include "core/base/invocation.h"
#include "core/base/result.h"

namespace sm::flow {

std::string make_sync_id(Invocation& in);

// After a failed batch: where its outcome is unknown, looks for its log row, and gives that row's
// stats where it is there: the batch was committed. Gives every other error back.
Task<Result<std::string>> settle_outcome(Invocation& in, TenantId tenant, std::string sync_id,
                                         Error error);

}  // namespace sm::flow
