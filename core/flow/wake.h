// What the deployment does by itself, without a request: the host wakes the core once a minute.
//
// A wake is a hint and nothing more. It may be missing, late, given twice, or overlap with the one
// before it; what is due, and who does it, stands in the store. What deletions have left comes
// first (deletion.h), then runs (run.h).
#pragma once

#include "core/base/invocation.h"
#include "core/base/result.h"
#include "core/base/time.h"

namespace sm::flow {

// `scheduled` is the minute that the wake was meant for. Errors: those of the store; the machine
// writes them to the host's log.
Task<Result<Unit>> wake(Invocation& in, Time scheduled);

}  // namespace sm::flow
