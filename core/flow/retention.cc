#include "core/flow/retention.h"

#include <algorithm>
#include <cstdlib>
#include <iterator>

#include "core/base/limits.h"
#include "core/flow/cleanup.h"
#include "core/json/cursor.h"
#include "core/json/writer.h"
#include "core/store/store.h"

namespace sm::flow {
namespace {

// In this order: what a phase stops pointing to is dropped by the last one. The numbers are stored.
enum class Phase : int64_t {
  source_snapshots = 0,
  target_rows = 1,  // their snapshots, and hidden ones themselves
  imports = 2,
  logs = 3,
  orphans = 4,
  over = 5,
};

struct Work {
  HeldRun run;
  Time as_of;
  Phase phase;
  int64_t after;  // what the phase has done already

  std::string cutoff(int64_t days) const { return to_text(as_of - days * kDayMs); }
};

int64_t member_of(std::string_view checkpoint, std::string_view name) {
  auto value = json::find_member(checkpoint, name);
  return value ? std::strtoll(std::string(*value).c_str(), nullptr, 10) : 0;
}

// The batch of one step, between the guard on the run and its new checkpoint. Without statements
// there is nothing left of the phase.
struct Step {
  std::vector<Statement> statements = {};
  int64_t after = 0;
};

// Old snapshots of a side's properties; of a target's, the rows that were hidden as long ago, too.
Task<Result<Step>> properties(Invocation& in, const Work& work, Side side) {
  TenantId tenant = work.run.tenant;
  CO_TRY(CleanupSlice slice, co_await next_properties(in, tenant, side, work.after));
  Step step;
  if (slice.rows == 0) co_return step;
  step.after = slice.last;
  std::string before = work.cutoff(retention_days(in.deployment()));
  append_snapshot_drops(step.statements, tenant, side, slice, before, work.run.log);
  if (side == Side::source) co_return step;
  step.statements.push_back(store::hidden_targets_bumped(tenant, slice.after, slice.last, before));
  step.statements.push_back(store::hidden_orphaned(tenant, slice.after, slice.last, before));
  step.statements.push_back(store::hidden_deleted(tenant, slice.after, slice.last, before));
  co_return step;
}

Task<Result<Step>> imports(Invocation& in, const Work& work) {
  TenantId tenant = work.run.tenant;
  CO_TRY(store::Rows rows,
         co_await store::query(in, store::expired_imports(tenant, to_text(work.as_of))));
  Step step;
  store::ExpiredImportsRow import;
  if (!rows.next(import)) co_return step;
  step.statements.push_back(
      store::guard_import_idle(tenant, import.id, std::string(import.lease_until)));
  step.statements.push_back(store::staged_data_deleted(tenant, import.id));
  step.statements.push_back(store::staging_dropped(tenant, import.id));
  step.statements.push_back(store::import_ended(tenant, import.id));
  co_return step;
}

Task<Result<Step>> logs(Invocation& in, const Work& work) {
  TenantId tenant = work.run.tenant;
  std::string before = work.cutoff(kLogDays);
  CO_TRY(CleanupSlice slice,
         co_await read_slice(in, 0, store::logs_slice(tenant, before, kLogSliceRows)));
  Step step;
  if (slice.rows == 0) co_return step;
  step.statements.push_back(store::logs_expired(tenant, slice.last, before));
  co_return step;
}

Task<Result<Step>> orphans(Invocation& in, const Work& work) {
  CO_TRY(CleanupSlice slice, co_await next_orphans(in, work.run.tenant, work.after));
  Step step;
  if (slice.rows == 0) co_return step;
  step.after = slice.last;
  append_orphan_drops(step.statements, work.run.tenant, slice);
  co_return step;
}

Task<Result<Step>> next_step(Invocation& in, const Work& work) {
  switch (work.phase) {
    case Phase::source_snapshots:
      return properties(in, work, Side::source);
    case Phase::target_rows:
      return properties(in, work, Side::target);
    case Phase::imports:
      return imports(in, work);
    case Phase::logs:
      return logs(in, work);
    case Phase::orphans:
    case Phase::over:
      return orphans(in, work);
  }
  SM_CHECK(false);
}

std::string checkpoint_of(const Work& work) {
  return json::object([&](json::ObjectWriter& checkpoint) {
    checkpoint.integer("phase", static_cast<int64_t>(work.phase)).integer("after", work.after);
  });
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
  Work work{run, as_of, static_cast<Phase>(member_of(run.checkpoint, "phase")),
            member_of(run.checkpoint, "after")};
  while (work.phase != Phase::over) {
    bool over = steps-- <= 0 || !in.may_go_on();
    if (over) co_return co_await release_run(in, work.run);
    CO_TRY(Step step, co_await next_step(in, work));
    if (step.statements.empty()) {
      work.phase = static_cast<Phase>(static_cast<int64_t>(work.phase) + 1);
      work.after = 0;
      continue;
    }
    std::vector<Statement> batch = run_batch(work.run);
    std::move(step.statements.begin(), step.statements.end(), std::back_inserter(batch));
    work.after = step.after;
    CO_TRY([[maybe_unused]] Unit moved,
           co_await move_run(in, work.run, std::move(batch), checkpoint_of(work)));
  }
  co_return co_await end(in, work);
}

}  // namespace sm::flow
