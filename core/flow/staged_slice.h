// What a large import has staged goes in slices when the import is given up, each one batch: by the
// request that failed, and by the nightly retention where that did not come to its end.
#pragma once

#include <vector>

#include "core/base/ids.h"
#include "core/base/invocation.h"
#include "core/base/result.h"

namespace sm::flow {

struct StagedSlice {
  std::vector<Statement> drops;  // of one batch
  bool last = false;             // nothing of the import is left behind them
};

// The first slice that is dropped marks the import, which may not go on from then. Errors: those of
// the store.
Task<Result<StagedSlice>> next_staged_slice(Invocation& in, TenantId tenant, int64_t import);

}  // namespace sm::flow
