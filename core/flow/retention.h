// The nightly retention of one tenant, as a run that can be taken up again: each batch begins with
// a guard on the run's fence and moves its checkpoint, so that a run that was killed goes on where
// it stood, and two holders never do the same work twice.
//
// What goes: snapshots older than the retention, target rows hidden for longer than that, large
// imports that were given up, log rows of more than a year, and data that nothing points to.
#pragma once

#include <cstdint>
#include <string>

#include "core/base/ids.h"
#include "core/base/invocation.h"
#include "core/base/result.h"

namespace sm::flow {

// When the night after `time` begins its retention.
Time next_retention(Time time);

// A run that this invocation holds.
struct HeldRun {
  TenantId tenant;
  int64_t id;
  int64_t fence;
  std::string checkpoint;  // JSON, as it was stored
};

// Works until the run is over, or `steps` is used up: then it lets the run go, for the next wake.
// `as_of` is the time from which ages are counted. Errors: guard (lease_lost) where another holder
// has taken the run; those of the store.
Task<Result<Unit>> run_retention(Invocation& in, HeldRun run, Time as_of, int& steps);

}  // namespace sm::flow
