// Retention: drops snapshots older than a moment, and the data that nothing points to any more.
#pragma once

#include "core/base/ids.h"
#include "core/base/invocation.h"
#include "core/base/result.h"

namespace sm::flow {

struct CleanupOutcome {
  int64_t source_snapshots = 0;
  int64_t target_snapshots = 0;
};

// In slices, each one batch, so that a large tenant passes the store's limits; what a slice deleted
// stays deleted if a later one fails, and running it again goes on. Errors: those of the store.
Task<Result<CleanupOutcome>> clean_up(Invocation& in, TenantId tenant, Time before);

}  // namespace sm::flow
