#include "core/flow/cleanup.h"

#include "core/base/limits.h"
#include "core/flow/log.h"
#include "core/store/store.h"

namespace sm::flow {
namespace {

// The ids (after, last] that one batch looks at; nothing is left where `rows` is 0.
struct Slice {
  int64_t last = 0;
  int64_t rows = 0;
};

Task<Result<Slice>> read_slice(Invocation& in, Statement statement) {
  CO_TRY(store::Rows rows, co_await store::query(in, std::move(statement)));
  SM_CHECK(rows.next());
  co_return Slice{rows.maybe_integer(0).value_or(0), rows.integer(1)};
}

Task<Result<int64_t>> drop_snapshots(Invocation& in, TenantId tenant, Side side,
                                     std::string before) {
  int64_t dropped = 0;
  int64_t after = 0;
  while (true) {
    CO_TRY(Slice slice, co_await read_slice(
                            in, store::cleanup_properties(side, tenant, after, kCleanupSliceRows)));
    if (slice.rows == 0) co_return dropped;
    std::vector<Statement> batch;
    batch.push_back(store::snapshots_orphaned(side, tenant, after, slice.last, before));
    if (side == Side::target) {
      batch.push_back(store::snapshot_bases_orphaned(tenant, after, slice.last, before));
    }
    batch.push_back(store::snapshots_expired(side, tenant, after, slice.last, before));
    CO_TRY(std::vector<store::Rows> written, co_await store::batch(in, std::move(batch)));
    dropped += written.back().changes();
    after = slice.last;
  }
}

Task<Result<Unit>> drop_orphans(Invocation& in, TenantId tenant) {
  int64_t after = 0;
  while (true) {
    CO_TRY(Slice slice,
           co_await read_slice(in, store::orphans_slice(tenant, after, kCleanupSliceRows)));
    if (slice.rows == 0) co_return Unit{};
    std::vector<Statement> batch;
    batch.push_back(store::orphaned_data_deleted(tenant, after, slice.last));
    batch.push_back(store::orphans_checked(tenant, after, slice.last));
    CO_TRY([[maybe_unused]] auto written, co_await store::batch(in, std::move(batch)));
    after = slice.last;
  }
}

}  // namespace

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
