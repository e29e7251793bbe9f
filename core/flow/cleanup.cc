#include "core/flow/cleanup.h"

#include <charconv>
#include <optional>

#include "core/base/limits.h"
#include "core/flow/commit.h"
#include "core/store/store.h"

namespace sm::flow {
namespace {

// A clean-up under way: its log row has a number once the first slice is written.
struct Cleanup {
  Operation operation;
  std::string before;
  std::optional<int64_t> log = {};

  TenantId tenant() const { return operation.tenant; }
};

Error unfinished() {
  return {ErrorCode::overloaded,
          "This clean-up takes more steps than the store allows one request. What it deleted stays "
          "deleted, and its log row tells how much: send it again, and it goes on."};
}

Task<Result<Unit>> write_slice(Invocation& in, Cleanup& cleanup, std::vector<Statement> slice) {
  if (cleanup.log) {
    CO_TRY([[maybe_unused]] auto written, co_await store::batch(in, std::move(slice)));
    co_return Unit{};
  }
  slice.insert(slice.begin(), log_row(cleanup.operation,
                                      {.status = "running", .stats = kNothingDropped}, in.now()));
  CO_TRY(Committed committed, co_await commit_logged(in, cleanup.operation, std::move(slice)));
  cleanup.log =
      committed.rows ? store::only<store::LogAddedRow>((*committed.rows)[0]).id : committed.log_id;
  co_return Unit{};
}

Task<Result<Unit>> drop_snapshots(Invocation& in, Cleanup& cleanup, Side side) {
  CleanupSlice slice;
  while (true) {
    CO_TRY(slice, co_await next_properties(in, cleanup.tenant(), side, slice.last));
    if (slice.rows == 0) co_return Unit{};
    if (!in.may_go_on()) co_return unfinished();
    std::vector<Statement> batch;
    append_snapshot_drops(batch, cleanup.tenant(), side, slice, cleanup.before, cleanup.log);
    CO_TRY([[maybe_unused]] Unit written, co_await write_slice(in, cleanup, std::move(batch)));
  }
}

Task<Result<Unit>> drop_orphans(Invocation& in, Cleanup& cleanup) {
  CleanupSlice slice;
  while (true) {
    CO_TRY(slice, co_await next_orphans(in, cleanup.tenant(), slice.last));
    if (slice.rows == 0) co_return Unit{};
    if (!in.may_go_on()) co_return unfinished();
    std::vector<Statement> batch;
    append_orphan_drops(batch, cleanup.tenant(), slice);
    CO_TRY([[maybe_unused]] Unit written, co_await write_slice(in, cleanup, std::move(batch)));
  }
}

Task<Result<std::string>> end(Invocation& in, const Cleanup& cleanup) {
  std::vector<Statement> batch;
  if (!cleanup.log) {
    batch.push_back(log_row(cleanup.operation, {.stats = kNothingDropped}, in.now()));
    CO_TRY([[maybe_unused]] Committed committed,
           co_await commit_logged(in, cleanup.operation, std::move(batch)));
    co_return std::string(kNothingDropped);
  }
  batch.push_back(
      store::log_ended(cleanup.tenant(), cleanup.log, "success", std::nullopt, to_text(in.now())));
  CO_TRY(std::vector<store::Rows> written, co_await store::batch(in, std::move(batch)));
  co_return std::string(store::only<store::LogEndedRow>(written[0]).stats);
}

Task<Result<std::string>> run(Invocation& in, Operation operation, Time before) {
  Cleanup cleanup{std::move(operation), to_text(before)};
  CO_TRY([[maybe_unused]] Unit sources, co_await drop_snapshots(in, cleanup, Side::source));
  CO_TRY([[maybe_unused]] Unit targets, co_await drop_snapshots(in, cleanup, Side::target));
  CO_TRY([[maybe_unused]] Unit orphans, co_await drop_orphans(in, cleanup));
  co_return co_await end(in, cleanup);
}

}  // namespace

namespace {

// Nothing for a text that is no number of days.
std::optional<int64_t> read_retention(std::string_view set) {
  constexpr int64_t kDefaultDays = 30;
  if (set.empty()) return kDefaultDays;
  int64_t days = 0;
  auto [end, error] = std::from_chars(set.data(), set.data() + set.size(), days);
  bool fits = error == std::errc() && end == set.data() + set.size() && days >= 0 &&
              days <= kMaxRetentionDays;
  return fits ? std::optional(days) : std::nullopt;
}

}  // namespace

int64_t retention_days(const Deployment& deployment) {
  return read_retention(deployment.var("RETENTION_DAYS")).value_or(kMaxRetentionDays);
}

bool has_valid_retention(const Deployment& deployment) {
  return read_retention(deployment.var("RETENTION_DAYS")).has_value();
}

Task<Result<CleanupSlice>> read_slice(Invocation& in, int64_t after, Statement statement) {
  CO_TRY(store::Rows rows, co_await store::query(in, std::move(statement)));
  auto slice = store::only<store::SliceRow>(rows);
  co_return CleanupSlice{after, slice.last.value_or(0), slice.count};
}

Task<Result<CleanupSlice>> next_properties(Invocation& in, TenantId tenant, Side side,
                                           int64_t after) {
  return read_slice(in, after, store::cleanup_properties(side, tenant, after, kCleanupSliceRows));
}

Task<Result<CleanupSlice>> next_orphans(Invocation& in, TenantId tenant, int64_t after) {
  return read_slice(in, after, store::orphans_slice(tenant, after, kCleanupSliceRows));
}

void append_snapshot_drops(std::vector<Statement>& batch, TenantId tenant, Side side,
                           const CleanupSlice& slice, const std::string& before,
                           std::optional<int64_t> log) {
  batch.push_back(store::snapshots_orphaned(side, tenant, slice.after, slice.last, before));
  if (side == Side::target) {
    batch.push_back(store::snapshot_bases_orphaned(tenant, slice.after, slice.last, before));
  }
  batch.push_back(store::snapshots_expired(side, tenant, slice.after, slice.last, before));
  batch.push_back(store::log_counted(
      tenant, log, side == Side::source ? "$.source_snapshots" : "$.target_snapshots"));
}

void append_orphan_drops(std::vector<Statement>& batch, TenantId tenant,
                         const CleanupSlice& slice) {
  batch.push_back(store::orphaned_data_deleted(tenant, slice.after, slice.last));
  batch.push_back(store::orphans_checked(tenant, slice.after, slice.last));
}

Task<Result<std::string>> clean_up(Invocation& in, TenantId tenant, Time before) {
  Operation operation = begun(in, {tenant, "cleanup"});
  return logged(in, operation, run(in, operation, before));
}

}  // namespace sm::flow
