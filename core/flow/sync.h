// Brings a target in step with a source: decides on counts by class, then writes every class by one
// set-based statement, in one batch under guards on both revisions. No property data moves. A sync
// that lost several races decides inside its batch instead, so that edits cannot starve it.
#pragma once

#include <string>

#include "core/base/ids.h"
#include "core/base/invocation.h"
#include "core/base/result.h"

namespace sm::flow {

struct SyncOutcome {
  std::string stats;  // a JSON object
  std::string sync_id;
};

// Errors: not_found where either is not the tenant's; guard after kMaxLostRaces lost races; those
// of the store.
Task<Result<SyncOutcome>> sync_pair(Invocation& in, TenantId tenant, SourceId source,
                                    TargetId target);

}  // namespace sm::flow
