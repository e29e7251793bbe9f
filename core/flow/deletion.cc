#include "core/flow/deletion.h"

#include <algorithm>
#include <array>
#include <vector>

#include "core/base/limits.h"
#include "core/flow/cleanup.h"
#include "core/flow/commit.h"
#include "core/flow/log.h"
#include "core/store/store.h"

namespace sm::flow {
namespace {

// No snapshot is older than this.
constexpr std::string_view kNoSnapshots = "";

// Counts the snapshots of a connector by rising keys, a bounded number in one call. Nobody adds any
// once it is marked.
struct SnapshotCount {
  TenantId tenant;
  Connector connector;
  int64_t id;
  store::SnapshotsContinuedRow last = {};  // up to this one they are counted
  int64_t counted = 0;

  void ask(std::vector<Statement>& statements) const {
    statements.push_back(store::snapshots_counted(connector, tenant, id, last.property,
                                                  last.version, last.id, kCountedSnapshots));
    statements.push_back(store::snapshots_continued(connector, tenant, id, last.property,
                                                    last.version, last.id, kCountedSnapshots));
  }
  // Takes the answers. True where there may be more.
  bool take(store::Rows& count, store::Rows& continued) {
    counted += store::only<store::CountRow>(count).count;
    return continued.next(last);
  }
};

Task<Result<Unit>> count_rest(Invocation& in, SnapshotCount& snapshots) {
  for (bool more = true; more && in.may_go_on();) {
    std::vector<Statement> questions;
    snapshots.ask(questions);
    CO_TRY(std::vector<store::Rows> rows, co_await store::query_all(in, std::move(questions)));
    more = snapshots.take(rows[0], rows[1]);
  }
  co_return Unit{};
}

std::vector<Statement> deletion(const SnapshotCount& snapshots, int64_t revision, Time now) {
  TenantId tenant = snapshots.tenant;
  Connector connector = snapshots.connector;
  int64_t id = snapshots.id;
  std::vector<Statement> batch;
  batch.push_back(store::guard_connector(connector, tenant, id, revision));
  batch.push_back(store::properties_counted(connector, tenant, id));
  snapshots.ask(batch);
  batch.push_back(store::connector_marked(connector, tenant, id, to_text(now)));
  if (connector == Connector::source) {
    batch.push_back(store::fed_targets_bumped(tenant, SourceId{id}));
  }
  batch.push_back(store::seals_deleted(connector, tenant, id));
  batch.push_back(store::old_seals_deleted(connector, tenant, id));
  return batch;
}

Task<Result<DeletedConnector>> erase(Invocation& in, TenantId tenant, Connector connector,
                                     ConnectorRow row) {
  Races races(in);
  while (true) {
    SnapshotCount snapshots{tenant, connector, row.id};
    Result<std::vector<store::Rows>> written =
        co_await store::batch(in, deletion(snapshots, row.revision, in.now()));
    if (written.ok()) {
      std::vector<store::Rows>& rows = written.value();
      int64_t properties = store::only<store::CountRow>(rows[1]).count;
      if (snapshots.take(rows[2], rows[3])) {
        CO_TRY([[maybe_unused]] Unit counted, co_await count_rest(in, snapshots));
      }
      co_return DeletedConnector{properties, snapshots.counted};
    }
    if (!races.lost(written)) co_return std::move(written).error();
    CO_TRY(row, co_await find_connector(in, tenant, connector, row.id));
  }
}

std::vector<Statement> snapshots_slice(const Deleted& of, int64_t rows) {
  std::vector<Statement> batch;
  batch.push_back(store::first_snapshots_orphaned(of.connector, of.tenant, of.id, rows));
  batch.push_back(store::first_snapshots_deleted(of.connector, of.tenant, of.id, rows));
  return batch;
}

std::vector<Statement> properties_slice(const Deleted& of, int64_t rows) {
  std::vector<Statement> batch;
  if (of.connector == Connector::source) {
    batch.push_back(store::first_properties_untied(of.tenant, of.id, rows));
  }
  batch.push_back(store::first_properties_orphaned(of.connector, of.tenant, of.id, rows));
  batch.push_back(store::first_properties_deleted(of.connector, of.tenant, of.id, rows));
  return batch;
}

// Slice after slice of one kind, each of at most so many rows. True where nothing of it is left.
Task<Result<bool>> clear_rows(Invocation& in, Deleted of, int64_t most,
                              std::vector<Statement> (*slice)(const Deleted&, int64_t),
                              int& slices) {
  while (slices-- > 0 && in.may_go_on()) {
    CO_TRY(std::vector<store::Rows> rows, co_await store::batch(in, slice(of, most)));
    if (rows.back().changes() < most) co_return true;
  }
  co_return false;
}

// Each property of a source is looked up in every target that the source feeds, which takes half as
// long as all else that becomes of it.
Task<Result<int64_t>> properties_of_slice(Invocation& in, Deleted of) {
  if (of.connector == Connector::target) co_return kDeletionSliceRows;
  CO_TRY(store::Rows rows,
         co_await store::query(in, store::fed_targets_counted(of.tenant, SourceId{of.id})));
  int64_t targets = std::max(int64_t{1}, store::only<store::CountRow>(rows).count);
  co_return std::max(int64_t{1}, kDeletionSliceRows * 3 / (2 + targets));
}

// Data that nothing points to any more, as a clean-up finds them, so that they do not count for the
// tenant. What is left stays for the nightly retention.
Task<Result<Unit>> drop_orphans(Invocation& in, TenantId tenant, int& slices) {
  for (bool full = true; full && slices-- > 0 && in.may_go_on();) {
    CO_TRY(CleanupSlice slice, co_await next_slice(in, tenant, std::string(kNoSnapshots)));
    if (slice.empty()) co_return Unit{};
    full = slice.more;
    std::vector<Statement> batch;
    append_drops(batch, tenant, slice, std::nullopt);
    CO_TRY([[maybe_unused]] auto dropped, co_await store::batch(in, std::move(batch)));
  }
  co_return Unit{};
}

}  // namespace

Task<Result<DeletedConnector>> delete_connector(Invocation& in, TenantId tenant,
                                                Connector connector, ConnectorRow row) {
  Operation operation = begun(in, operation_on(tenant, connector, row.id));
  return logged(in, operation, erase(in, tenant, connector, std::move(row)));
}

Task<Result<std::vector<Deleted>>> read_deleted(Invocation& in, Time as_of) {
  std::string before = to_text(as_of - kDeletionHeadStartMs);
  constexpr std::array<Connector, 2> kBoth = {Connector::source, Connector::target};
  std::vector<Statement> questions;
  for (Connector connector : kBoth) {
    questions.push_back(store::deleted_connectors(connector, before, kRunsPerQuery));
  }
  CO_TRY(std::vector<store::Rows> rows, co_await store::query_all(in, std::move(questions)));
  std::vector<Deleted> left;
  for (size_t i = 0; i < kBoth.size(); ++i) {
    for (store::DeletedConnectorsRow row; rows[i].next(row);) {
      left.push_back({row.tenant_id, kBoth[i], row.id});
    }
  }
  co_return left;
}

Task<Result<Unit>> clear_away(Invocation& in, Deleted of, int& slices) {
  CO_TRY(bool none, co_await clear_rows(in, of, kDeletionSliceRows, snapshots_slice, slices));
  if (!none) co_return Unit{};
  CO_TRY(int64_t most, co_await properties_of_slice(in, of));
  CO_TRY(none, co_await clear_rows(in, of, most, properties_slice, slices));
  if (!none) co_return Unit{};
  std::vector<Statement> batch;
  batch.push_back(store::connector_pairs_deleted(of.connector, of.tenant, of.id));
  batch.push_back(store::connector_deleted(of.connector, of.tenant, of.id));
  CO_TRY([[maybe_unused]] auto written, co_await store::batch(in, std::move(batch)));
  co_return co_await drop_orphans(in, of.tenant, slices);
}

Task<Result<Unit>> clear_away_behind(Invocation& in, Deleted of) {
  int slices = kAnswerDeletionSlices;
  co_return co_await clear_away(in, of, slices);
}

}  // namespace sm::flow
