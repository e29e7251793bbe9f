#include "core/flow/wake.h"

#include <algorithm>
#include <vector>

#include "core/base/limits.h"
#include "core/flow/deletion.h"
#include "core/flow/run.h"
#include "core/store/store.h"

namespace sm::flow {
namespace {

// What one wake has left, and what went wrong first. One tenant's failure does not keep the others
// from their turn.
struct Turn {
  Time as_of;
  int steps = kWakeSteps;
  Result<Unit> first = Unit{};

  bool over() const { return steps <= 0; }
  // A run that has another holder by now is in good hands.
  void add(const Result<Unit>& done) {
    bool wrong = !done.ok() && !store::lost_guard(done.error(), "lease_lost");
    if (wrong && first.ok()) first = done.error();
  }
};

Error unknown_kind(const std::string& kind) {
  return {ErrorCode::internal, "there is no flow for runs of the kind " + kind};
}

// The time that a holder has, and that the next one waits for, doubles with each attempt.
std::string lease_until(const Invocation& in, int64_t attempt) {
  int64_t doubled = std::clamp<int64_t>(attempt - 1, 0, kMaxRunAttempts);
  return to_text(in.now() + (kRunLeaseMs << doubled));
}

// The run that the batch made ours, from its last statement.
HeldRun held(TenantId tenant, store::Rows& rows) {
  auto active = store::only<store::RunActiveRow>(rows);
  return {tenant, active.id, active.fence, std::string(active.checkpoint), active.log_id};
}

void append_log(std::vector<Statement>& batch, TenantId tenant, const RunKind& kind) {
  batch.push_back(store::run_log_added(tenant, std::string(kind.name), std::string(kind.sync_type),
                                       std::string(kind.stats)));
  batch.push_back(store::run_log_named(tenant, std::string(kind.name)));
  batch.push_back(store::run_active(tenant, std::string(kind.name)));
}

// Hands the run to the flow of its kind. An attempt that fails leaves a note of why.
Task<Result<Unit>> work(Invocation& in, const RunKind* kind, HeldRun run, Turn& turn) {
  Result<Unit> done = co_await kind->work(in, run, turn.as_of, turn.steps);
  if (done.ok() || store::lost_guard(done.error(), "lease_lost")) co_return done;
  std::vector<Statement> note;
  note.push_back(store::run_faulted(run.tenant, run.id, run.fence,
                                    std::string(error_info(done.error().code).title)));
  [[maybe_unused]] auto noted = co_await store::batch(in, std::move(note));
  co_return done;
}

struct DeadRun {
  std::string lease_until;
  HeldRun run;
  std::string kind;
  int64_t attempts = 0;
  std::string error;
};

Task<Result<std::vector<DeadRun>>> read_dead(Invocation& in, std::string after_lease,
                                             int64_t after_id) {
  CO_TRY(store::Rows rows,
         co_await store::query(in, store::dead_runs(to_text(in.now()), std::move(after_lease),
                                                    after_id, kRunsPerQuery)));
  std::vector<DeadRun> dead;
  for (store::DeadRunsRow row; rows.next(row);) {
    dead.push_back({std::string(row.lease_until),
                    {row.tenant_id, row.id, row.fence, {}, row.log_id},
                    std::string(row.kind),
                    row.attempts,
                    std::string(row.error.value_or("nothing was heard of its holder"))});
  }
  co_return dead;
}

// The run has had its attempts: the next slot comes.
Task<Result<Unit>> give_up(Invocation& in, DeadRun dead) {
  std::vector<Statement> batch = run_batch(dead.run);
  batch.push_back(store::log_ended(dead.run.tenant, dead.run.log, "failed",
                                   "Given up after " + std::to_string(dead.attempts) +
                                       " attempts without progress: " + dead.error + ".",
                                   to_text(in.now())));
  batch.push_back(store::run_ended(dead.run.tenant, dead.run.id, "failed"));
  CO_TRY([[maybe_unused]] auto written, co_await store::batch(in, std::move(batch)));
  co_return Unit{};
}

Task<Result<Unit>> take_up(Invocation& in, DeadRun dead, Turn& turn) {
  const RunKind* kind = find_run_kind(dead.kind);
  if (kind == nullptr) co_return unknown_kind(dead.kind);
  --turn.steps;
  if (dead.attempts >= kMaxRunAttempts) co_return co_await give_up(in, std::move(dead));
  TenantId tenant = dead.run.tenant;
  std::vector<Statement> batch;
  batch.push_back(
      store::run_taken(tenant, dead.run.id, dead.run.fence, lease_until(in, dead.attempts + 1)));
  append_log(batch, tenant, *kind);
  CO_TRY(std::vector<store::Rows> written, co_await store::batch(in, std::move(batch)));
  if (written[0].size() == 0) co_return Unit{};
  co_return co_await work(in, kind, held(tenant, written.back()), turn);
}

Task<Result<Unit>> take_up_dead(Invocation& in, Turn& turn) {
  std::vector<DeadRun> dead;
  do {
    std::string after_lease = dead.empty() ? std::string() : dead.back().lease_until;
    int64_t after_id = dead.empty() ? 0 : dead.back().run.id;
    CO_TRY(dead, co_await read_dead(in, std::move(after_lease), after_id));
    for (const DeadRun& found : dead) {
      if (turn.over() || !in.may_go_on()) co_return Unit{};
      turn.add(co_await take_up(in, found, turn));
    }
  } while (dead.size() == static_cast<size_t>(kRunsPerQuery));
  co_return Unit{};
}

struct Slot {
  std::string due_at;
  TenantId tenant;
  std::string kind;
};

Task<Result<std::vector<Slot>>> read_due(Invocation& in, std::string as_of, Slot after) {
  CO_TRY(store::Rows rows,
         co_await store::query(in, store::due_slots(std::move(as_of), after.due_at, after.tenant,
                                                    after.kind, kRunsPerQuery)));
  std::vector<Slot> due;
  for (store::DueSlotsRow row; rows.next(row);) {
    due.push_back({std::string(row.next_due), row.tenant_id, std::string(row.kind)});
  }
  co_return due;
}

// Makes the slot a run of ours and works on it; nothing where another wake has it, or an earlier
// run of the kind goes on.
Task<Result<Unit>> claim(Invocation& in, Slot slot, Turn& turn) {
  const RunKind* kind = find_run_kind(slot.kind);
  if (kind == nullptr) co_return unknown_kind(slot.kind);
  --turn.steps;
  std::vector<Statement> batch;
  batch.push_back(store::ids_reserved("runs", 1));
  batch.push_back(store::run_claimed(slot.tenant, slot.kind, slot.due_at, lease_until(in, 1),
                                     to_text(in.now())));
  batch.push_back(store::schedule_advanced(slot.tenant, slot.kind, slot.due_at,
                                           to_text(kind->next_slot(turn.as_of))));
  append_log(batch, slot.tenant, *kind);
  CO_TRY(std::vector<store::Rows> written, co_await store::batch(in, std::move(batch)));
  if (written[1].size() == 0) co_return Unit{};
  co_return co_await work(in, kind, held(slot.tenant, written.back()), turn);
}

Task<Result<Unit>> claim_due(Invocation& in, Turn& turn) {
  std::vector<Slot> due;
  do {
    Slot after = due.empty() ? Slot() : due.back();
    CO_TRY(due, co_await read_due(in, to_text(turn.as_of), std::move(after)));
    for (const Slot& slot : due) {
      if (turn.over() || !in.may_go_on()) co_return Unit{};
      turn.add(co_await claim(in, slot, turn));
    }
  } while (due.size() == static_cast<size_t>(kRunsPerQuery));
  co_return Unit{};
}

// What deletions have left, up to a share of what a wake may do.
Task<Result<Unit>> clear_deleted(Invocation& in, Turn& turn) {
  int slices = kWakeDeletionSlices;
  CO_TRY(std::vector<Deleted> left, co_await read_deleted(in, turn.as_of));
  for (const Deleted& of : left) {
    if (slices <= 0 || !in.may_go_on()) co_return Unit{};
    turn.add(co_await clear_away(in, of, slices));
  }
  co_return Unit{};
}

// The time as of which work is due. Leases are kept by the real clock. What a trigger says of the
// future is believed for a moment, or, where tests ask for it, for any time.
Time work_time(const Invocation& in, Time scheduled) {
  Time now = in.now();
  if (in.deployment().var("TRUST_SCHEDULED_TIME") == "true") return std::max(now, scheduled);
  return std::clamp(scheduled, now, now + kMaxWakeAheadMs);
}

}  // namespace

Task<Result<Unit>> wake(Invocation& in, Time scheduled) {
  Turn turn{work_time(in, scheduled)};
  CO_TRY([[maybe_unused]] Unit cleared, co_await clear_deleted(in, turn));
  CO_TRY([[maybe_unused]] Unit taken, co_await take_up_dead(in, turn));
  CO_TRY([[maybe_unused]] Unit claimed, co_await claim_due(in, turn));
  co_return std::move(turn.first);
}

}  // namespace sm::flow
