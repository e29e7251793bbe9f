// Work that the deployment does by itself, by the clock: a slot of a tenant's schedule becomes a
// run, and a wake (wake.h) hands each run to the flow of its kind (run_kinds.cc).
//
// A run is `running`, then `done` or `failed`. Who works on it holds its lease; the fence rises
// with each holder. Every batch of the work begins with a guard on the fence and moves the
// checkpoint, so a run that was killed goes on where it stood, and two holders never do the same
// work twice. A run whose holder fails or dies is left to its lease and taken up again when that
// has passed. The lease doubles with each attempt that got nowhere, and after kMaxRunAttempts the
// run has failed: a tenant has one active run of a kind, and the next slot must not wait for ever.
//
// A run has one row in the log from its claim on, which its batches keep up to date.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/ids.h"
#include "core/base/invocation.h"
#include "core/base/result.h"

namespace sm::flow {

// A run that this invocation holds.
struct HeldRun {
  TenantId tenant;
  int64_t id = 0;
  int64_t fence = 0;
  std::string checkpoint;      // JSON, as it was stored; `{}` at the beginning
  std::optional<int64_t> log;  // the number of its log row
};

// What there is to know of a kind of run.
struct RunKind {
  std::string_view name;       // as the store has it
  std::string_view sync_type;  // of its log rows
  std::string_view stats;      // of a log row, before anything is done
  // The slot behind the one that is due, as of a time.
  Time (*next_slot)(Time as_of);
  // Works until the run is over, or `steps` is used up: then it lets the run go, for the next wake.
  // `as_of` is the time as of which work is due. Errors: guard (lease_lost) where another holder
  // has taken the run; those of the store; its own.
  Task<Result<Unit>> (*work)(Invocation& in, HeldRun run, Time as_of, int& steps);
};

// Every kind that there is.
std::span<const RunKind> run_kinds();
// Null for a kind that this version does not know.
const RunKind* find_run_kind(std::string_view name);

// A batch of a run's work, with its guard.
std::vector<Statement> run_batch(const HeldRun& run);

// Sends a batch, together with the checkpoint that it leads to. Errors: those of store::batch.
Task<Result<Unit>> move_run(Invocation& in, const HeldRun& run, std::vector<Statement> batch,
                            std::string checkpoint);

// Ends it well, together with the statements of a batch.
Task<Result<Unit>> end_run(Invocation& in, const HeldRun& run, std::vector<Statement> batch);

// Lets it go before its end.
Task<Result<Unit>> release_run(Invocation& in, const HeldRun& run);

}  // namespace sm::flow
