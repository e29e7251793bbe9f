#include "core/flow/sync.h"

#include "core/base/limits.h"
#include "core/flow/log.h"
#include "core/json/cursor.h"
#include "core/store/store.h"

namespace sm::flow {
namespace {

// Raised when the plan's statements decide otherwise than before: every pair is looked at as a
// whole once more.
constexpr std::string_view kPlanVersion = "1";

// Where a sync stands before it decides.
struct Position {
  TenantId tenant;
  SourceId source;
  TargetId target;
  int64_t live = 0;
  int64_t source_revision = 0;
  int64_t target_revision = 0;
  Scope scope = Scope::all;  // changed: since the revisions that follow
  int64_t source_since = 0;
  int64_t target_since = 0;
  std::string policy = {};
  std::string settings = {};
  bool moved = true;      // the pair's stored position is not this one
  bool attention = true;  // some row carries a flag, a warning or a contest

  bool settled() const { return !moved && !attention; }
};

std::string policy_of(std::string_view config) {
  auto policy = json::find_member(config, "conflict_policy");
  return policy ? json::unquote(*policy) : "skip";
}

Task<Result<Position>> read_position(Invocation& in, TenantId tenant, SourceId source,
                                     TargetId target) {
  std::vector<Statement> statements;
  statements.push_back(store::side_by_id(Side::source, tenant, source.value));
  statements.push_back(store::side_by_id(Side::target, tenant, target.value));
  statements.push_back(store::sync_position(tenant, source, target));
  statements.push_back(store::sync_attention(tenant, target));
  CO_TRY(std::vector<store::Rows> rows, co_await store::query_all(in, std::move(statements)));
  if (!rows[0].next() || !rows[1].next()) co_return not_found();
  Position position{tenant, source, target};
  position.live = rows[0].integer(4);
  position.source_revision = rows[0].integer(7);
  position.target_revision = rows[1].integer(7);
  position.policy = policy_of(rows[1].text(3));
  position.settings = std::string(kPlanVersion) + ":" + position.policy;
  if (rows[2].next() && rows[2].text(2) == position.settings) {
    position.scope = Scope::changed;
    position.source_since = rows[2].integer(0);
    position.target_since = rows[2].integer(1);
    position.moved = position.source_since != position.source_revision ||
                     position.target_since != position.target_revision;
  }
  position.attention = store::only_integer(std::move(rows[3])) != 0;
  co_return position;
}

// Calls one of the plan's statements with the parameters that all of them share.
template <typename... Rest, typename... Given>
Statement planned(Statement (*statement)(Scope, TenantId, SourceId, TargetId, int64_t, int64_t,
                                         std::string, std::string, std::string, Rest...),
                  const Position& at, Given&&... given) {
  return statement(at.scope, at.tenant, at.source, at.target, at.source_since, at.target_since,
                   at.policy, std::string(sync::kKeepWarning), std::string(sync::kConflictWarning),
                   std::forward<Given>(given)...);
}

Task<Result<sync::Plan>> read_plan(Invocation& in, Position at) {
  // Nothing moved on either side and nothing waits for a person: there is nothing to ask.
  if (at.settled()) co_return sync::Plan();
  CO_TRY(store::Rows rows, co_await store::query(in, planned(store::sync_classes, at)));
  sync::Plan plan;
  while (rows.next()) {
    auto of = sync::class_by_name(rows.text(0));
    SM_CHECK(of.has_value());
    plan[*of] = {rows.integer(1), rows.integer(2)};
  }
  co_return plan;
}

struct FirstIds {
  int64_t row = 0;
  int64_t snapshot = 0;
};

Task<Result<FirstIds>> reserve_ids(Invocation& in, int64_t rows, int64_t snapshots) {
  FirstIds first;
  if (rows + snapshots == 0) co_return first;
  std::vector<Statement> statements;
  statements.push_back(store::ids_reserved("target_properties", rows));
  statements.push_back(store::ids_reserved("target_snapshots", snapshots));
  CO_TRY(std::vector<store::Rows> ids, co_await store::batch(in, std::move(statements)));
  first.row = store::only_integer(std::move(ids[0]));
  first.snapshot = store::only_integer(std::move(ids[1]));
  co_return first;
}

void append_classes(std::vector<Statement>& batch, const Position& at, const sync::Plan& plan,
                    FirstIds ids, const std::string& now) {
  using sync::Class;
  auto pending = [&](Class of) { return plan[of].pending > 0; };
  batch.push_back(store::target_bumped(at.tenant, at.target, plan[Class::create].rows));
  if (pending(Class::agree)) {
    batch.push_back(planned(store::sync_bases_orphaned, at));
    batch.push_back(planned(store::sync_agreed, at, now));
  }
  if (pending(Class::update)) {
    batch.push_back(planned(store::sync_snapshots, at, ids.snapshot, now));
    batch.push_back(planned(store::sync_updated, at, now));
  }
  if (pending(Class::accept)) batch.push_back(planned(store::sync_tied, at, now));
  if (pending(Class::contest)) batch.push_back(planned(store::sync_contested, at, now));
  for (Class warned : {Class::keep, Class::conflict}) {
    if (!pending(warned)) continue;
    batch.push_back(planned(store::sync_warned, at, std::string(sync::class_name(warned)), now));
  }
  if (pending(Class::create)) batch.push_back(planned(store::sync_created, at, ids.row, now));
}

Statement log_of(const Position& at, const SyncOutcome& outcome, std::string started_at,
                 std::string now) {
  const sync::Stats& stats = outcome.stats;
  return store::log_added(at.tenant, outcome.sync_id, "sync", "success", at.source, at.target,
                          at.live, stats.created + stats.updated, stats.warnings, stats.json(),
                          std::move(started_at), std::move(now));
}

Task<Result<SyncOutcome>> attempt(Invocation& in, Position at, std::string sync_id,
                                  std::string started_at) {
  CO_TRY(sync::Plan plan, co_await read_plan(in, at));
  // Where much changed, one scan of all rows finds the same ones sooner than the indexes do
  // (measured: at a tenth of the rows both take as long).
  constexpr int64_t kMuch = 10;
  int64_t changed = plan[sync::Class::create].rows + plan[sync::Class::update].rows;
  if (changed > at.live / kMuch) at.scope = Scope::all;
  SyncOutcome outcome{plan.stats(at.live), std::move(sync_id)};
  CO_TRY(FirstIds ids,
         co_await reserve_ids(in, plan[sync::Class::create].rows, plan[sync::Class::update].rows));
  std::string now = to_text(in.now());
  std::vector<Statement> batch;
  batch.push_back(store::guard_side(Side::source, at.tenant, at.source.value, at.source_revision));
  batch.push_back(store::guard_side(Side::target, at.tenant, at.target.value, at.target_revision));
  batch.push_back(log_of(at, outcome, std::move(started_at), now));
  if (plan.writes()) append_classes(batch, at, plan, ids, now);
  if (at.moved || plan.writes()) {
    batch.push_back(store::sync_positioned(at.tenant, at.source, at.target, at.source_revision,
                                           at.target_revision + (plan.writes() ? 1 : 0),
                                           at.settings));
  }
  Result<std::vector<store::Rows>> written = co_await store::batch(in, std::move(batch));
  if (!written.ok()) {
    CO_TRY([[maybe_unused]] Unit committed,
           co_await settle_outcome(in, at.tenant, outcome.sync_id, std::move(written).error()));
  }
  co_return outcome;
}

}  // namespace

Task<Result<SyncOutcome>> sync_pair(Invocation& in, TenantId tenant, SourceId source,
                                    TargetId target) {
  std::string sync_id = make_sync_id(in);
  std::string started_at = to_text(in.now());
  for (int lost = 0;; ++lost) {
    CO_TRY(Position at, co_await read_position(in, tenant, source, target));
    Result<SyncOutcome> outcome = co_await attempt(in, std::move(at), sync_id, started_at);
    bool again = !outcome.ok() && outcome.error().code == ErrorCode::guard && lost < kMaxLostRaces;
    if (!again) co_return outcome;
  }
}

}  // namespace sm::flow
