#include "core/flow/cleanup.h"

#include <algorithm>
#include <charconv>

#include "core/base/limits.h"
#include "core/flow/commit.h"
#include "core/store/store.h"

namespace sm::flow {
namespace {

// The clean-up's row as the batch begins it, where it has none yet.
void append_log(std::vector<Statement>& batch, const Operation& operation,
                const CleanupSlice& slice, Time now) {
  batch.push_back(log_row(
      operation, {.status = slice.more ? "running" : "success", .stats = kNothingDropped}, now));
}

Error unfinished() {
  return {ErrorCode::overloaded,
          "This clean-up takes more steps than the store allows one request. What it deleted stays "
          "deleted, and its log row tells how much: send it again, and it goes on."};
}

Task<Result<Committed>> commit_unseen(Invocation& in, std::vector<Statement> batch) {
  CO_TRY(std::vector<store::Rows> rows, co_await store::batch(in, std::move(batch)));
  co_return Committed{std::move(rows)};
}

struct Written {
  int64_t log = 0;    // the number of the row
  std::string stats;  // as the row has them now
};

// One slice with its share of the log row; the last one ends it.
Task<Result<Written>> write_slice(Invocation& in, const Operation& operation, CleanupSlice slice,
                                  std::optional<int64_t> log) {
  TenantId tenant = operation.tenant;
  std::vector<Statement> batch;
  if (!log) append_log(batch, operation, slice, in.now());
  if (!slice.empty()) append_drops(batch, tenant, slice, log);
  if (log && !slice.more) {
    batch.push_back(store::log_ended(tenant, log, "success", std::nullopt, to_text(in.now())));
  }
  batch.push_back(store::log_figures(tenant, log));
  // A row that was there before the batch does not tell whether that was committed.
  CO_TRY(Committed committed, log ? co_await commit_unseen(in, std::move(batch))
                                  : co_await commit_logged(in, operation, std::move(batch)));
  if (!committed.rows) co_return Written{committed.log_id, std::move(committed.stats)};
  auto figures = store::only<store::LogFiguresRow>(committed.rows->back());
  co_return Written{figures.id, std::string(figures.stats)};
}

Task<Result<std::string>> run(Invocation& in, Operation operation, std::string before) {
  std::optional<int64_t> log;
  Races races(in);
  while (true) {
    CO_TRY(CleanupSlice slice, co_await next_slice(in, operation.tenant, before));
    bool last = !slice.more;
    if (!last && !in.may_go_on()) co_return unfinished();
    Result<Written> written = co_await write_slice(in, operation, std::move(slice), log);
    if (races.lost(written)) continue;
    if (!written.ok()) co_return std::move(written).error();
    if (last) co_return std::move(written.value().stats);
    log = written.value().log;
  }
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

Search CleanupSlice::search() const {
  int64_t candidates = source.rows + target.rows + orphans.rows;
  bool few = candidates * connectors * kLookUpRows < size;
  return few || size > kCleanupScanRows ? Search::look_up : Search::scan;
}

Task<Result<CleanupSlice>> next_slice(Invocation& in, TenantId tenant, std::string before) {
  std::vector<Statement> questions;
  questions.push_back(store::cleanup_extent(tenant, kCleanupScanRows));
  questions.push_back(store::cleanup_slice(tenant, before, kCleanupSliceRows));
  CO_TRY(std::vector<store::Rows> rows, co_await store::query_all(in, std::move(questions)));
  auto extent = store::only<store::CleanupExtentRow>(rows[0]);
  bool scannable = extent.size <= kCleanupScanRows;
  int64_t limit = scannable ? kCleanupSliceRows : 1 + kCleanupLookUps / (1 + extent.connectors);
  if (limit < kCleanupSliceRows) {
    CO_TRY(rows[1], co_await store::query(in, store::cleanup_slice(tenant, before, limit)));
  }
  auto found = store::only<store::CleanupSliceRow>(rows[1]);
  auto or_none = [](std::optional<int64_t> number) { return number.value_or(0); };
  limit = std::min(limit, kCleanupSliceRows);
  co_return CleanupSlice{
      std::move(before),
      {std::min(found.source_count, limit), or_none(found.source_connector),
       or_none(found.source_property), or_none(found.source_version)},
      {std::min(found.target_count, limit), or_none(found.target_connector),
       or_none(found.target_property), or_none(found.target_version)},
      {std::min(found.orphan_count, limit), found.orphan_last},
      std::max({found.source_count, found.target_count, found.orphan_count}) > limit,
      extent.connectors,
      extent.size};
}

void append_drops(std::vector<Statement>& batch, TenantId tenant, const CleanupSlice& slice,
                  std::optional<int64_t> log) {
  const std::string& before = slice.before;
  const SnapshotSlice& source = slice.source;
  const SnapshotSlice& target = slice.target;
  int64_t orphan = slice.orphans.last;
  batch.push_back(store::staged_kept(tenant, before, source.connector, source.property,
                                     source.version, target.connector, target.property,
                                     target.version, orphan));
  auto deleted =
      slice.search() == Search::scan ? store::loose_data_deleted : store::unreferenced_data_deleted;
  batch.push_back(deleted(tenant, before, source.connector, source.property, source.version,
                          target.connector, target.property, target.version, orphan));
  if (slice.orphans.rows > 0) batch.push_back(store::orphans_checked(tenant, orphan));
  batch.push_back(store::source_snapshots_expired(tenant, before, source.connector, source.property,
                                                  source.version));
  batch.push_back(store::log_counted(tenant, log, "$.source_snapshots"));
  batch.push_back(store::target_snapshots_expired(tenant, before, target.connector, target.property,
                                                  target.version));
  batch.push_back(store::log_counted(tenant, log, "$.target_snapshots"));
}

Task<Result<std::string>> clean_up(Invocation& in, TenantId tenant, Time before) {
  Operation operation = begun(in, {tenant, "cleanup"});
  return logged(in, operation, run(in, operation, to_text(before)));
}

}  // namespace sm::flow
