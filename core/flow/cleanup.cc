#include "core/flow/cleanup.h"

#include <charconv>

#include "core/base/limits.h"
#include "core/flow/log.h"
#include "core/store/store.h"

namespace sm::flow {
namespace {

Task<Result<int64_t>> drop_snapshots(Invocation& in, TenantId tenant, Side side,
                                     std::string before) {
  int64_t dropped = 0;
  CleanupSlice slice;
  while (true) {
    CO_TRY(slice, co_await next_properties(in, tenant, side, slice.last));
    if (slice.rows == 0) co_return dropped;
    std::vector<Statement> batch;
    append_snapshot_drops(batch, tenant, side, slice, before);
    CO_TRY(std::vector<store::Rows> written, co_await store::batch(in, std::move(batch)));
    dropped += written.back().changes();
  }
}

Task<Result<Unit>> drop_orphans(Invocation& in, TenantId tenant) {
  CleanupSlice slice;
  while (true) {
    CO_TRY(slice, co_await next_orphans(in, tenant, slice.last));
    if (slice.rows == 0) co_return Unit{};
    std::vector<Statement> batch;
    append_orphan_drops(batch, tenant, slice);
    CO_TRY([[maybe_unused]] auto written, co_await store::batch(in, std::move(batch)));
  }
}

}  // namespace

int64_t retention_days(const Deployment& deployment) {
  constexpr int64_t kDefaultDays = 30;
  std::string_view set = deployment.var("RETENTION_DAYS");
  int64_t days = 0;
  auto [end, error] = std::from_chars(set.data(), set.data() + set.size(), days);
  bool fits = !set.empty() && error == std::errc() && end == set.data() + set.size() && days >= 0 &&
              days <= kMaxRetentionDays;
  return fits ? days : kDefaultDays;
}

Task<Result<CleanupSlice>> read_slice(Invocation& in, int64_t after, Statement statement) {
  CO_TRY(store::Rows rows, co_await store::query(in, std::move(statement)));
  SM_CHECK(rows.next());
  co_return CleanupSlice{after, rows.maybe_integer(0).value_or(0), rows.integer(1)};
}

Task<Result<CleanupSlice>> next_properties(Invocation& in, TenantId tenant, Side side,
                                           int64_t after) {
  return read_slice(in, after, store::cleanup_properties(side, tenant, after, kCleanupSliceRows));
}

Task<Result<CleanupSlice>> next_orphans(Invocation& in, TenantId tenant, int64_t after) {
  return read_slice(in, after, store::orphans_slice(tenant, after, kCleanupSliceRows));
}

void append_snapshot_drops(std::vector<Statement>& batch, TenantId tenant, Side side,
                           const CleanupSlice& slice, const std::string& before) {
  batch.push_back(store::snapshots_orphaned(side, tenant, slice.after, slice.last, before));
  if (side == Side::target) {
    batch.push_back(store::snapshot_bases_orphaned(tenant, slice.after, slice.last, before));
  }
  batch.push_back(store::snapshots_expired(side, tenant, slice.after, slice.last, before));
}

void append_orphan_drops(std::vector<Statement>& batch, TenantId tenant,
                         const CleanupSlice& slice) {
  batch.push_back(store::orphaned_data_deleted(tenant, slice.after, slice.last));
  batch.push_back(store::orphans_checked(tenant, slice.after, slice.last));
}

Task<Result<CleanupOutcome>> clean_up(Invocation& in, TenantId tenant, Time before) {
  std::string started_at = to_text(in.now());
  CleanupOutcome outcome;
  CO_TRY(outcome.source_snapshots,
         co_await drop_snapshots(in, tenant, Side::source, to_text(before)));
  CO_TRY(outcome.target_snapshots,
         co_await drop_snapshots(in, tenant, Side::target, to_text(before)));
  CO_TRY([[maybe_unused]] Unit dropped, co_await drop_orphans(in, tenant));
  int64_t total = outcome.source_snapshots + outcome.target_snapshots;
  std::vector<Statement> log;
  log.push_back(store::log_added(
      tenant, make_sync_id(in), "cleanup", "success", std::nullopt, std::nullopt, total, total, 0,
      "{\"source_snapshots\":" + std::to_string(outcome.source_snapshots) +
          ",\"target_snapshots\":" + std::to_string(outcome.target_snapshots) + "}",
      started_at, to_text(in.now())));
  CO_TRY([[maybe_unused]] auto written, co_await store::batch(in, std::move(log)));
  co_return outcome;
}

}  // namespace sm::flow
