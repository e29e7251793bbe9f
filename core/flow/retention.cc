#include "core/flow/retention.h"

#include <algorithm>
#include <cstdlib>
#include <iterator>

#include "core/base/limits.h"
#include "core/flow/cleanup.h"
#include "core/flow/staged_slice.h"
#include "core/json/cursor.h"
#include "core/json/writer.h"
#include "core/store/store.h"

namespace sm::flow {
namespace {

// In this order: what a phase stops pointing to is dropped by the last one. The numbers are stored.
enum class Phase : int64_t {
  snapshots = 0,
  hidden_rows = 1,
  imports = 2,
  logs = 3,
  orphans = 4,
  over = 5,
};

struct Work {
  HeldRun run;
  Time as_of;
  Phase phase;

  std::string cutoff(int64_t days) const { return to_text(as_of - days * kDayMs); }
};

Phase phase_of(std::string_view checkpoint) {
  auto phase = json::find_member(checkpoint, "phase");
  return static_cast<Phase>(phase ? std::strtoll(std::string(*phase).c_str(), nullptr, 10)
                                  : int64_t{0});
}

std::string checkpoint_of(const Work& work) {
  return json::object([&](json::ObjectWriter& checkpoint) {
    checkpoint.integer("phase", static_cast<int64_t>(work.phase));
  });
}

// The statements of one step, between the guard on the run and its new checkpoint. None where there
// is nothing left of the phase; what a step took away is not found again.
using Step = std::vector<Statement>;

// Old snapshots, and data that lost their last pointer.
Task<Result<Step>> drops(Invocation& in, const Work& work) {
  CO_TRY(CleanupSlice slice,
         co_await next_slice(in, work.run.tenant, work.cutoff(retention_days(in.deployment()))));
  Step step;
  if (!slice.empty()) append_drops(step, work.run.tenant, slice, work.run.log);
  co_return step;
}

Task<Result<Step>> hidden_rows(Invocation& in, const Work& work) {
  TenantId tenant = work.run.tenant;
  std::string before = work.cutoff(retention_days(in.deployment()));
  CO_TRY(store::Rows rows,
         co_await store::query(in, store::hidden_slice(tenant, before, kCleanupSliceRows)));
  auto slice = store::only<store::HiddenSliceRow>(rows);
  Step step;
  if (!slice.target_id || !slice.last) co_return step;
  step.push_back(store::hidden_targets_bumped(tenant, *slice.target_id, *slice.last, before));
  step.push_back(store::hidden_orphaned(tenant, *slice.target_id, *slice.last, before));
  step.push_back(store::hidden_deleted(tenant, *slice.target_id, *slice.last, before));
  co_return step;
}

Task<Result<Step>> imports(Invocation& in, const Work& work) {
  TenantId tenant = work.run.tenant;
  CO_TRY(store::Rows rows,
         co_await store::query(in, store::expired_imports(tenant, to_text(work.as_of))));
  Step step;
  store::ExpiredImportsRow import;
  if (!rows.next(import)) co_return step;
  int64_t id = import.id;
  step.push_back(store::guard_import_idle(tenant, id, std::string(import.lease_until)));
  CO_TRY(StagedSlice slice, co_await next_staged_slice(in, tenant, id));
  std::move(slice.drops.begin(), slice.drops.end(), std::back_inserter(step));
  co_return step;
}

Task<Result<Step>> logs(Invocation& in, const Work& work) {
  TenantId tenant = work.run.tenant;
  std::string before = work.cutoff(kLogDays);
  CO_TRY(store::Rows rows,
         co_await store::query(in, store::logs_slice(tenant, before, kLogSliceRows)));
  auto slice = store::only<store::LogsSliceRow>(rows);
  Step step;
  if (slice.count > 0) step.push_back(store::logs_expired(tenant, *slice.last, before));
  co_return step;
}

Task<Result<Step>> next_step(Invocation& in, const Work& work) {
  switch (work.phase) {
    case Phase::hidden_rows:
      return hidden_rows(in, work);
    case Phase::imports:
      return imports(in, work);
    case Phase::logs:
      return logs(in, work);
    case Phase::snapshots:
    case Phase::orphans:
    case Phase::over:
      return drops(in, work);
  }
  SM_CHECK(false);
}

Task<Result<Unit>> end(Invocation& in, const Work& work) {
  std::vector<Statement> batch = run_batch(work.run);
  batch.push_back(store::logs_abandoned(work.run.tenant, to_text(in.now() - kDayMs),
                                        "It was interrupted; what it did until then stays done.",
                                        to_text(in.now())));
  batch.push_back(
      store::runs_forgotten(work.run.tenant, std::string(kRetentionKind), work.cutoff(kLogDays)));
  return end_run(in, work.run, std::move(batch));
}

}  // namespace

Time next_retention(Time time) { return next_daily(time, kRetentionTimeMs); }

Task<Result<Unit>> run_retention(Invocation& in, HeldRun run, Time as_of, int& steps) {
  Work work{run, as_of, phase_of(run.checkpoint)};
  while (work.phase != Phase::over) {
    bool over = steps-- <= 0 || !in.may_go_on();
    if (over) co_return co_await release_run(in, work.run);
    CO_TRY(Step step, co_await next_step(in, work));
    if (step.empty()) {
      work.phase = static_cast<Phase>(static_cast<int64_t>(work.phase) + 1);
      continue;
    }
    std::vector<Statement> batch = run_batch(work.run);
    std::move(step.begin(), step.end(), std::back_inserter(batch));
    CO_TRY([[maybe_unused]] Unit moved,
           co_await move_run(in, work.run, std::move(batch), checkpoint_of(work)));
  }
  co_return co_await end(in, work);
}

}  // namespace sm::flow
