// The nightly retention of one tenant, as a run (run.h).
//
// What goes: snapshots older than the retention, target rows hidden for longer than that, large
// imports that were given up, log rows of more than a year, and data that nothing points to.
#pragma once

#include <string_view>

#include "core/base/invocation.h"
#include "core/base/result.h"
#include "core/flow/run.h"

namespace sm::flow {

inline constexpr std::string_view kRetentionKind = "retention";

// When the night after `time` begins its retention.
Time next_retention(Time time);

// As RunKind::work; `as_of` is the time from which ages are counted.
Task<Result<Unit>> run_retention(Invocation& in, HeldRun run, Time as_of, int& steps);

}  // namespace sm::flow
