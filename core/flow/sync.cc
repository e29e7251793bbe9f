#include "core/flow/sync.h"

#include "core/flow/commit.h"
#include "core/flow/log.h"
#include "core/store/store.h"
#include "core/sync/config.h"
#include "core/sync/numbering.h"
#include "core/sync/plan.h"

namespace sm::flow {
namespace {

// Raised when the plan's statements decide otherwise than before: every pair is looked at as a
// whole once more.
constexpr std::string_view kPlanVersion = "3";

// Where a sync stands before it decides.
struct Position {
  TenantId tenant;
  SourceId source;
  TargetId target;
  int64_t live = 0;     // properties of the source
  int64_t visible = 0;  // rows of the target
  int64_t source_revision = 0;
  int64_t target_revision = 0;
  int64_t feed_floor = 0;
  std::optional<std::string> feeders = {};  // all sources of the target, as the store names them
  std::string config = {};                  // of the target
  Scope scope = Scope::all;                 // changed: since the revisions that follow
  int64_t source_since = 0;
  int64_t target_since = 0;
  std::string policy = {};
  bool deletes = false;  // removed properties hide their rows
  std::string settings = {};
  bool moved = true;      // the pair's stored position is not this one
  bool attention = true;  // some row carries a flag, a warning or a contest
  sync::IdRange source_ids = {};
  sync::IdRange target_ids = {};  // of hidden rows, too

  bool settled() const { return !moved && !attention; }
};

Task<Result<Position>> read_position(Invocation& in, TenantId tenant, SourceId source,
                                     TargetId target) {
  std::vector<Statement> statements;
  statements.push_back(store::connector_by_id(Connector::source, tenant, source.value));
  statements.push_back(store::connector_by_id(Connector::target, tenant, target.value));
  statements.push_back(store::sync_position(tenant, source, target));
  statements.push_back(store::sync_target_state(tenant, target));
  statements.push_back(store::sync_changed_counted(tenant, source, target));
  statements.push_back(store::sync_feeders(tenant, target));
  statements.push_back(store::sync_source_ids(tenant, source));
  CO_TRY(std::vector<store::Rows> rows, co_await store::query_all(in, std::move(statements)));
  store::ConnectorRow from;
  store::ConnectorRow to;
  store::SyncTargetStateRow state;
  if (!rows[0].next(from) || !rows[1].next(to) || !rows[3].next(state)) co_return not_found();
  Position position{tenant, source, target};
  position.live = from.property_count;
  position.visible = to.property_count;
  position.source_revision = from.revision;
  position.target_revision = to.revision;
  position.config = to.config;
  sync::TargetConfig config = sync::target_config(position.config);
  position.policy = sync::policy_name(config.conflict_policy);
  position.deletes = config.on_removed == sync::OnRemoved::hide;
  position.settings = std::string(kPlanVersion) + ":" + position.policy;
  position.feed_floor = state.feed_floor;
  position.target_ids = {state.first_id, state.last_id.value_or(0)};
  position.attention = state.attention != 0;
  auto source_ids = store::only<store::SyncSourceIdsRow>(rows[6]);
  position.source_ids = {source_ids.first_id, source_ids.last_id.value_or(0)};
  auto known = store::only<store::SyncFeedersRow>(rows[5]);
  if (known.feeders) position.feeders = std::string(*known.feeders);
  // Rows that the target forgot since can be found by looking at the source alone.
  store::SyncPositionRow pair;
  if (rows[2].next(pair) && pair.settings_hash == position.settings &&
      pair.target_revision >= position.feed_floor) {
    // Where much changed, one scan of all rows finds the same ones sooner than the indexes do
    // (measured: at a tenth of the rows both take as long).
    bool much = store::only<store::CountRow>(rows[4]).count > position.live / 10;
    position.scope = much ? Scope::all : Scope::changed;
    position.source_since = pair.source_revision;
    position.target_since = pair.target_revision;
    position.moved = position.source_since != position.source_revision ||
                     position.target_since != position.target_revision;
  }
  co_return position;
}

// Calls one of the plan's statements with the parameters that all of them share.
template <typename... Rest, typename... Given>
Statement planned(Statement (*statement)(Scope, TenantId, SourceId, TargetId, int64_t, int64_t,
                                         std::string, Rest...),
                  const Position& at, Given&&... given) {
  return statement(at.scope, at.tenant, at.source, at.target, at.source_since, at.target_since,
                   at.policy, std::forward<Given>(given)...);
}

Task<Result<sync::Plan>> read_plan(Invocation& in, Position at) {
  // Nothing moved on either side and nothing waits for a person: there is nothing to ask.
  if (at.settled()) co_return sync::Plan();
  if (!at.target_ids.first) co_return sync::all_created(at.live);
  CO_TRY(store::Rows rows, co_await store::query(in, planned(store::sync_classes, at)));
  sync::Plan plan;
  store::SyncClassesRow row;
  while (rows.next(row)) plan.add(row.class_name, row.count);
  co_return plan;
}

// Of the rows of a class, which the log row counts as `member`.
void append_snapshots(std::vector<Statement>& batch, const Position& at, sync::Class of,
                      const std::string& member, const std::string& now) {
  batch.push_back(store::sync_ids_reserved("target_snapshots", at.tenant, member));
  batch.push_back(
      planned(store::sync_snapshots, at, std::string(sync::class_name(of)), member, now));
}

void append_removals(std::vector<Statement>& batch, const Position& at, const std::string& now) {
  std::optional<std::string> hidden;
  if (at.deletes) {
    append_snapshots(batch, at, sync::Class::remove, "removed", now);
    hidden = now;
  }
  batch.push_back(planned(store::sync_removed, at, std::move(hidden), now));
}

// Every visible row of the target is in class `update`.
void append_all_updated(std::vector<Statement>& batch, const Position& at, const std::string& now) {
  sync::Numbers ids = sync::number_rows(at.visible, at.target_ids);
  batch.push_back(store::ids_reserved("target_snapshots", ids.reserved));
  batch.push_back(
      store::sync_all_snapshots(ids.how, at.tenant, at.target, ids.first_id, ids.reserved, now));
  batch.push_back(store::sync_all_updated(at.tenant, at.source, at.target, now));
}

void append_updated(std::vector<Statement>& batch, const Position& at, const sync::Plan& plan,
                    const std::string& now) {
  using sync::Class;
  // Rows that are revived by this batch are visible by now.
  bool all =
      at.visible > 0 && plan[Class::update].rows == at.visible && plan[Class::revive].pending == 0;
  if (all) return append_all_updated(batch, at, now);
  append_snapshots(batch, at, Class::update, "updated", now);
  batch.push_back(planned(store::sync_updated, at, now));
}

void append_created(std::vector<Statement>& batch, const Position& at, const std::string& now) {
  if (at.target_ids.first) {
    batch.push_back(store::sync_ids_reserved("target_properties", at.tenant, "created"));
    batch.push_back(planned(store::sync_created, at, now));
    return;
  }
  sync::Numbers ids = sync::number_rows(at.live, at.source_ids);
  batch.push_back(store::ids_reserved("target_properties", ids.reserved));
  batch.push_back(store::sync_all_created(ids.how, at.tenant, at.source, at.target, ids.first_id,
                                          ids.reserved, now));
}

void append_revived(std::vector<Statement>& batch, const Position& at, const std::string& now) {
  batch.push_back(planned(store::sync_revived_orphaned, at));
  batch.push_back(planned(store::sync_revived, at, now));
}

void append_settled(std::vector<Statement>& batch, const Position& at, const std::string& now) {
  batch.push_back(planned(store::sync_bases_orphaned, at));
  batch.push_back(planned(store::sync_agreed, at, now));
}

void append_classes(std::vector<Statement>& batch, const Position& at, const sync::Plan& plan,
                    const std::string& now) {
  using sync::RowWrite;
  batch.push_back(store::target_synced(at.tenant, at.target, at.deletes ? 1 : 0));
  if (plan.writes(RowWrite::mark)) batch.push_back(planned(store::sync_marked, at, now));
  if (plan.writes(RowWrite::remove)) append_removals(batch, at, now);
  if (plan.writes(RowWrite::revive)) append_revived(batch, at, now);
  if (plan.writes(RowWrite::settle)) append_settled(batch, at, now);
  if (plan.writes(RowWrite::take)) append_updated(batch, at, plan, now);
  if (plan.writes(RowWrite::create)) append_created(batch, at, now);
}

// Sends what the batch so far (guards and log row) and the plan make together.
Task<Result<Committed>> write(Invocation& in, const Position& at, const sync::Plan& plan,
                              std::vector<Statement> batch, const Operation& operation,
                              const std::string& now) {
  if (plan.writes()) append_classes(batch, at, plan, now);
  bool grows = plan.writes(sync::RowWrite::create) || plan.writes(sync::RowWrite::revive);
  if (grows) append_guard(batch, in, at.tenant, Quota::properties);
  if (at.moved || plan.writes()) {
    batch.push_back(store::sync_positioned(at.tenant, at.source, at.target, at.settings));
  }
  return commit_logged(in, operation, std::move(batch));
}

Task<Result<SyncOutcome>> decide_then_write(Invocation& in, Position at, Operation operation) {
  CO_TRY(sync::Plan plan, co_await read_plan(in, at));
  sync::Stats stats = plan.stats(at.live);
  std::string now = to_text(in.now());
  std::vector<Statement> batch;
  batch.push_back(
      store::guard_connector(Connector::source, at.tenant, at.source.value, at.source_revision));
  batch.push_back(
      store::guard_connector(Connector::target, at.tenant, at.target.value, at.target_revision));
  if (!at.settled()) batch.push_back(store::guard_feeders(at.tenant, at.target, at.feeders));
  batch.push_back(log_row(operation,
                          {.total = at.live,
                           .updated = stats.written(),
                           .failed = stats.warnings,
                           .stats = stats.json()},
                          in.now()));
  CO_TRY([[maybe_unused]] Committed committed,
         co_await write(in, at, plan, std::move(batch), operation, now));
  co_return SyncOutcome{stats.json(), std::move(operation.sync_id)};
}

// The rows may move on meanwhile, the settings may not.
Task<Result<SyncOutcome>> decide_inside(Invocation& in, Position at, Operation operation) {
  at.moved = true;
  // It may have got rows meanwhile.
  if (!at.target_ids.first) at.target_ids.first = 0;
  std::string now = to_text(in.now());
  std::vector<Statement> batch;
  batch.push_back(store::guard_settings(at.tenant, at.source, at.target, at.config, at.feed_floor));
  batch.push_back(planned(store::sync_logged, at, operation.sync_id, operation.started_at, now));
  CO_TRY(Committed committed,
         co_await write(in, at, sync::anything(), std::move(batch), operation, now));
  if (committed.rows) {
    committed.stats = store::only<store::SyncLoggedRow>((*committed.rows)[1]).stats;
  }
  co_return SyncOutcome{std::move(committed.stats), std::move(operation.sync_id)};
}

Task<Result<SyncOutcome>> run(Invocation& in, Operation operation) {
  // Deciding inside the batch runs every class's statement, so it comes after some tries.
  constexpr int kTries = 5;
  Races races(in);
  while (true) {
    CO_TRY(Position at,
           co_await read_position(in, operation.tenant, *operation.source, *operation.target));
    Result<SyncOutcome> outcome = races.count() < kTries
                                      ? co_await decide_then_write(in, std::move(at), operation)
                                      : co_await decide_inside(in, std::move(at), operation);
    if (!races.lost(outcome)) co_return outcome;
  }
}

}  // namespace

Task<Result<SyncOutcome>> sync_pair(Invocation& in, TenantId tenant, SourceId source,
                                    TargetId target) {
  Operation operation = begun(in, {tenant, "sync", source, target});
  return logged(in, operation, run(in, operation));
}

}  // namespace sm::flow
