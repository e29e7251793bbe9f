#include "core/flow/sync.h"

#include "core/flow/commit.h"
#include "core/flow/log.h"
#include "core/store/store.h"
#include "core/sync/config.h"
#include "core/sync/plan.h"

namespace sm::flow {
namespace {

// Raised when the plan's statements decide otherwise than before: every pair is looked at as a
// whole once more.
constexpr std::string_view kPlanVersion = "2";

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
  bool filled = true;     // the target has a row
  bool attention = true;  // some row carries a flag, a warning or a contest

  bool settled() const { return !moved && !attention; }
};

Task<Result<Position>> read_position(Invocation& in, TenantId tenant, SourceId source,
                                     TargetId target) {
  std::vector<Statement> statements;
  statements.push_back(store::side_by_id(Side::source, tenant, source.value));
  statements.push_back(store::side_by_id(Side::target, tenant, target.value));
  statements.push_back(store::sync_position(tenant, source, target));
  statements.push_back(store::sync_target_state(tenant, target));
  statements.push_back(store::sync_changed_counted(tenant, source, target));
  statements.push_back(store::sync_feeders(tenant, target));
  CO_TRY(std::vector<store::Rows> rows, co_await store::query_all(in, std::move(statements)));
  store::SideRow from;
  store::SideRow to;
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
  position.filled = state.filled != 0;
  position.attention = state.attention != 0;
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
                                         std::string, std::string, std::string, std::string,
                                         Rest...),
                  const Position& at, Given&&... given) {
  return statement(at.scope, at.tenant, at.source, at.target, at.source_since, at.target_since,
                   at.policy, std::string(sync::kKeepWarning), std::string(sync::kConflictWarning),
                   std::string(sync::kHoldWarning), std::forward<Given>(given)...);
}

Task<Result<sync::Plan>> read_plan(Invocation& in, Position at) {
  // Nothing moved on either side and nothing waits for a person: there is nothing to ask.
  if (at.settled()) co_return sync::Plan();
  if (!at.filled) co_return sync::all_created(at.live);
  CO_TRY(store::Rows rows, co_await store::query(in, planned(store::sync_classes, at)));
  sync::Plan plan;
  store::SyncClassesRow row;
  while (rows.next(row)) plan.add(row.class_name, row.count);
  co_return plan;
}

void append_removals(std::vector<Statement>& batch, const Position& at, const std::string& now) {
  std::optional<std::string> hidden;
  if (at.deletes) {
    batch.push_back(planned(store::sync_snapshots, at, "remove", now));
    batch.push_back(store::target_snapshot_ids_taken(at.tenant, at.target));
    hidden = now;
  }
  batch.push_back(planned(store::sync_removed, at, std::move(hidden), now));
}

// The classes `create` and `update`.
void append_applied(std::vector<Statement>& batch, const Position& at, const sync::Plan& plan,
                    const std::string& now) {
  using sync::Class;
  // Rows that are revived by this batch are visible by now.
  bool all =
      at.visible > 0 && plan[Class::update].rows == at.visible && plan[Class::revive].pending == 0;
  if (plan[Class::update].pending > 0) {
    batch.push_back(all ? store::sync_all_snapshots(at.tenant, at.target, now)
                        : planned(store::sync_snapshots, at, "update", now));
    batch.push_back(store::target_snapshot_ids_taken(at.tenant, at.target));
  }
  if (all) batch.push_back(store::sync_all_updated(at.tenant, at.source, at.target, now));
  if (all && plan[Class::create].pending == 0) return;
  batch.push_back(store::sync_applied(at.scope, at.tenant, at.source, at.target, at.source_since,
                                      at.target_since, at.policy, now));
  batch.push_back(store::target_ids_taken(at.tenant, at.target));
}

void append_classes(std::vector<Statement>& batch, const Position& at, const sync::Plan& plan,
                    const std::string& now) {
  using sync::Class;
  auto pending = [&](Class of) { return plan[of].pending > 0; };
  auto warned = [&](Class of, std::optional<std::string_view> warning, const char* status) {
    if (!pending(of)) return;
    auto text = warning ? std::optional<std::string>(*warning) : std::nullopt;
    batch.push_back(planned(store::sync_warned, at, std::string(sync::class_name(of)),
                            std::move(text), status, now));
  };
  batch.push_back(store::target_synced(at.tenant, at.target, at.deletes ? 1 : 0));
  if (pending(Class::hold)) batch.push_back(planned(store::sync_held, at, now));
  if (pending(Class::remove)) append_removals(batch, at, now);
  if (pending(Class::retract)) batch.push_back(planned(store::sync_retracted, at, now));
  if (pending(Class::revive)) {
    batch.push_back(planned(store::sync_revived_orphaned, at));
    batch.push_back(planned(store::sync_revived, at, now));
  }
  if (pending(Class::contest)) batch.push_back(planned(store::sync_contested, at, now));
  if (pending(Class::agree)) {
    batch.push_back(planned(store::sync_bases_orphaned, at));
    batch.push_back(planned(store::sync_agreed, at, now));
  }
  if (pending(Class::create) || pending(Class::update)) append_applied(batch, at, plan, now);
  warned(Class::accept, std::nullopt, "manual");
  warned(Class::keep, sync::kKeepWarning, "manual");
  warned(Class::conflict, sync::kConflictWarning, "conflict");
}

// Sends what the batch so far (guards and log row) and the plan make together.
Task<Result<Committed>> write(Invocation& in, const Position& at, const sync::Plan& plan,
                              std::vector<Statement> batch, const Operation& operation,
                              const std::string& now) {
  if (plan.writes()) append_classes(batch, at, plan, now);
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
  batch.push_back(store::guard_side(Side::source, at.tenant, at.source.value, at.source_revision));
  batch.push_back(store::guard_side(Side::target, at.tenant, at.target.value, at.target_revision));
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
  Races races;
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
