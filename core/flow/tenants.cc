#include "core/flow/tenants.h"

#include <vector>

#include "core/flow/access.h"
#include "core/flow/commit.h"
#include "core/flow/log.h"
#include "core/flow/rates.h"
#include "core/flow/retention.h"
#include "core/json/writer.h"

namespace sm::flow {
namespace {

// The counter that the list of tenants has its entity tag from.
constexpr std::string_view kTenantChanges = "tenant_changes";

Error key_in_use() {
  return {ErrorCode::conflict,
          "This api_key is in use already: choose another, or leave it out to get one."};
}

// An id of each kind, behind `guards`.
Task<Result<std::vector<int64_t>>> reserve_ids(Invocation& in, std::vector<std::string> kinds,
                                               std::vector<Statement> guards = {}) {
  std::vector<Statement> statements = std::move(guards);
  size_t before = statements.size();
  for (std::string& kind : kinds) statements.push_back(store::ids_reserved(std::move(kind), 1));
  CO_TRY(std::vector<store::Rows> rows, co_await store::unseen_batch(in, std::move(statements)));
  std::vector<int64_t> ids;
  for (size_t i = before; i < rows.size(); ++i) {
    ids.push_back(store::only<store::IdsReservedRow>(rows[i]).first);
  }
  co_return ids;
}

std::string stats_of(std::string_view what, int64_t number, Actor actor) {
  return json::object([&](json::ObjectWriter& stats) {
    stats.integer(what, number);
    if (actor == Actor::administrator) stats.integer("by_administrator", 1);
  });
}

// Sends the log row and `change` until no race is lost.
Task<Result<Unit>> change_logged(Invocation& in, Operation operation, std::string stats,
                                 std::vector<Statement> change) {
  Races races(in);
  while (true) {
    std::vector<Statement> batch = change;
    batch.push_back(log_row(operation, {.stats = stats}, in.now()));
    Result<Committed> committed = co_await commit_logged(in, operation, std::move(batch));
    if (committed.ok()) co_return Unit{};
    if (!races.lost(committed)) co_return std::move(committed).error();
  }
}

Task<Result<NewKey>> add_key(Invocation& in, Operation operation, Actor actor, KeyOrder order) {
  TenantId tenant = operation.tenant;
  if (actor == Actor::administrator) {
    CO_TRY([[maybe_unused]] HeldTenant found, co_await find_tenant(in, tenant));
  }
  NewKey made{0, make_key(in, tenant), to_text(in.now()), std::move(order)};
  CO_TRY(std::string key_hash, hash_key(in.deployment(), made.api_key));
  CO_TRY(std::vector<int64_t> ids, co_await reserve_ids(in, {"api_keys"}));
  made.id = ids[0];
  std::vector<Statement> change;
  change.push_back(store::key_added(tenant, made.id, std::move(key_hash), made.order.name,
                                    made.order.scope, made.order.expires_at, made.created_at));
  // The administrator helps a tenant that has locked itself out, whatever it has.
  if (actor == Actor::tenant) append_guard(change, in, tenant, Quota::keys);
  CO_TRY([[maybe_unused]] Unit done,
         co_await change_logged(in, operation, stats_of("created_key", made.id, actor),
                                std::move(change)));
  co_return made;
}

Task<Result<Unit>> drop_key(Invocation& in, Operation operation, int64_t id) {
  std::string now = to_text(in.now());
  std::vector<Statement> change;
  change.push_back(store::guard_last_key(operation.tenant, id, now));
  change.push_back(store::key_revoked(operation.tenant, id, now));
  Result<Unit> done = co_await change_logged(
      in, operation, stats_of("revoked_key", id, Actor::tenant), std::move(change));
  if (!done.ok() && store::lost_guard(done.error(), "last_key")) {
    co_return Error{ErrorCode::conflict,
                    "This is the tenant's last key that may write: make another one first."};
  }
  co_return done;
}

Task<Result<HeldKey>> find_key(Invocation& in, TenantId tenant, int64_t id) {
  CO_TRY(store::Rows rows, co_await store::query(in, store::key_by_id(tenant, id)));
  HeldKey key(std::move(rows));
  if (!key) co_return not_found();
  co_return key;
}

}  // namespace

Task<Result<NewTenant>> create_tenant(Invocation& in, std::string name,
                                      std::optional<std::string> chosen_key,
                                      std::optional<std::string> address) {
  Signup signup(in, address);
  std::vector<Statement> guards;
  signup.append_guard(guards);
  Result<std::vector<int64_t>> reserved =
      co_await reserve_ids(in, {"tenants", "api_keys"}, std::move(guards));
  if (!reserved.ok()) co_return signup.explained(std::move(reserved).error());
  std::vector<int64_t> ids = std::move(reserved).value();
  TenantId tenant{ids[0]};
  NewTenant made{tenant.value, chosen_key ? std::move(*chosen_key) : make_key(in, tenant),
                 to_text(in.now())};
  CO_TRY(std::string key_hash, hash_key(in.deployment(), made.api_key));
  std::vector<Statement> batch;
  batch.push_back(store::tenant_added(tenant, std::move(name), made.created_at));
  batch.push_back(store::key_added(tenant, ids[1], key_hash, std::nullopt, std::string(kFullScope),
                                   std::nullopt, made.created_at));
  batch.push_back(store::ids_reserved(std::string(kTenantChanges), 1));
  batch.push_back(store::schedule_added(tenant, std::string(kRetentionKind),
                                        to_text(next_retention(in.now()))));
  signup.append_count(batch);
  Result<Unit> committed = co_await commit_shown(in, std::move(batch), store::tenant_by_id(tenant));
  if (committed.ok()) co_return made;
  if (committed.error().code == ErrorCode::unique) co_return key_in_use();
  co_return signup.explained(std::move(committed).error());
}

Task<Result<TenantUsage>> find_usage(Invocation& in, TenantId tenant) {
  std::vector<Statement> statements;
  statements.push_back(store::tenant_by_id(tenant));
  statements.push_back(store::tenant_usage(tenant, to_text(in.now())));
  CO_TRY(std::vector<store::Rows> rows, co_await store::query_all(in, std::move(statements)));
  HeldTenant found(std::move(rows[0]));
  if (!found) co_return not_found();
  co_return TenantUsage{std::move(found), read_usage(rows[1])};
}

Task<Result<HeldTenant>> find_tenant(Invocation& in, TenantId tenant) {
  CO_TRY(store::Rows rows, co_await store::query(in, store::tenant_by_id(tenant)));
  HeldTenant found(std::move(rows));
  if (!found) co_return not_found();
  co_return found;
}

Task<Result<HeldTenant>> set_standing(Invocation& in, TenantId tenant, Standing standing) {
  CO_TRY(HeldTenant found, co_await find_tenant(in, tenant));
  bool suspends = standing == Standing::suspended;
  if (found->suspended_at.has_value() == suspends) co_return found;
  Operation operation = begun(in, {tenant, "manual"});
  std::string now = to_text(in.now());
  std::vector<Statement> change;
  change.push_back(suspends ? store::tenant_suspended(tenant, now)
                            : store::tenant_resumed(tenant, now));
  change.push_back(store::ids_reserved(std::string(kTenantChanges), 1));
  std::string stats = stats_of(suspends ? "suspended" : "resumed", 1, Actor::administrator);
  CO_TRY([[maybe_unused]] Unit done,
         co_await logged(in, operation,
                         change_logged(in, operation, std::move(stats), std::move(change))));
  co_return co_await find_tenant(in, tenant);
}

Task<Result<NewKey>> create_key(Invocation& in, TenantId tenant, Actor actor, KeyOrder order) {
  Operation operation = begun(in, {tenant, "manual"});
  return logged(in, operation, add_key(in, operation, actor, std::move(order)));
}

Task<Result<HeldKey>> revoke_key(Invocation& in, TenantId tenant, int64_t id) {
  CO_TRY(HeldKey key, co_await find_key(in, tenant, id));
  if (key->revoked_at) co_return key;
  Operation operation = begun(in, {tenant, "manual"});
  CO_TRY([[maybe_unused]] Unit done, co_await logged(in, operation, drop_key(in, operation, id)));
  co_return co_await find_key(in, tenant, id);
}

}  // namespace sm::flow
