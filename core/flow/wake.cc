#include "core/flow/wake.h"

#include <vector>

#include "core/base/limits.h"
#include "core/flow/retention.h"
#include "core/store/store.h"

namespace sm::flow {
namespace {

struct Slot {
  TenantId tenant;
  std::string due_at;
};

Task<Result<std::vector<Slot>>> read_due(Invocation& in, std::string as_of) {
  CO_TRY(store::Rows rows, co_await store::query(in, store::due_schedules(as_of, kRunsPerQuery)));
  std::vector<Slot> due;
  while (rows.next()) due.push_back({TenantId{rows.integer(0)}, std::string(rows.text(1))});
  co_return due;
}

// Makes the slot a run of ours. Nothing where another wake has it, or an earlier run goes on.
Task<Result<std::optional<HeldRun>>> claim(Invocation& in, Slot slot, Time as_of) {
  std::vector<Statement> batch;
  std::string now = to_text(in.now());
  batch.push_back(store::run_claimed(slot.tenant, slot.due_at, to_text(in.now() + kRunLeaseMs),
                                     std::move(now)));
  batch.push_back(store::ids_taken("runs"));
  batch.push_back(
      store::schedule_advanced(slot.tenant, slot.due_at, to_text(next_retention(as_of))));
  CO_TRY(std::vector<store::Rows> written, co_await store::batch(in, std::move(batch)));
  std::optional<HeldRun> run;
  if (written[0].next()) run = HeldRun{slot.tenant, written[0].integer(0), 1, "{}"};
  co_return run;
}

struct DeadRun {
  int64_t id;
  TenantId tenant;
  int64_t fence;
};

Task<Result<std::vector<DeadRun>>> read_dead(Invocation& in) {
  CO_TRY(store::Rows rows,
         co_await store::query(in, store::dead_runs(to_text(in.now()), kRunsPerQuery)));
  std::vector<DeadRun> dead;
  while (rows.next()) {
    dead.push_back({rows.integer(0), TenantId{rows.integer(1)}, rows.integer(2)});
  }
  co_return dead;
}

Task<Result<std::optional<HeldRun>>> take_up(Invocation& in, DeadRun dead) {
  std::vector<Statement> batch;
  batch.push_back(
      store::run_taken(dead.tenant, dead.id, dead.fence, to_text(in.now() + kRunLeaseMs)));
  CO_TRY(std::vector<store::Rows> written, co_await store::batch(in, std::move(batch)));
  std::optional<HeldRun> run;
  if (written[0].next()) {
    run = HeldRun{dead.tenant, dead.id, written[0].integer(0), std::string(written[0].text(1))};
  }
  co_return run;
}

// One tenant's failure does not keep the others from their turn: the first one is told at the end.
class Outcome {
 public:
  void add(const Result<Unit>& done) {
    if (!done.ok() && first_.ok()) first_ = done.error();
  }
  Result<Unit> first() && { return std::move(first_); }

 private:
  Result<Unit> first_ = Unit{};
};

}  // namespace

Task<Result<Unit>> wake(Invocation& in, Time scheduled) {
  // A wake that comes by hand may name a later time than it is: work is due as of then. Leases are
  // kept by the real clock.
  Time as_of = in.now() < scheduled ? scheduled : in.now();
  int steps = kWakeSteps;
  Outcome outcome;
  CO_TRY(std::vector<DeadRun> dead, co_await read_dead(in));
  for (const DeadRun& found : dead) {
    if (steps <= 0) break;
    CO_TRY(auto run, co_await take_up(in, found));
    if (run) outcome.add(co_await run_retention(in, *run, as_of, steps));
  }
  while (steps > 0) {
    CO_TRY(std::vector<Slot> due, co_await read_due(in, to_text(as_of)));
    if (due.empty()) break;
    for (const Slot& slot : due) {
      if (steps <= 0) break;
      CO_TRY(auto run, co_await claim(in, slot, as_of));
      if (run) outcome.add(co_await run_retention(in, *run, as_of, steps));
    }
  }
  co_return std::move(outcome).first();
}

}  // namespace sm::flow
