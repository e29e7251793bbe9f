#include "core/flow/tenants.h"

#include <vector>

#include "core/flow/access.h"
#include "core/flow/commit.h"
#include "core/flow/log.h"
#include "core/flow/retention.h"

namespace sm::flow {
namespace {

using HeldKey = store::Held<store::KeyRow>;

Error key_in_use() {
  return {ErrorCode::conflict,
          "This api_key is in use already: choose another, or leave it out to get one."};
}

// An id of each kind.
Task<Result<std::vector<int64_t>>> reserve_ids(Invocation& in, std::vector<std::string> kinds) {
  std::vector<Statement> statements;
  for (std::string& kind : kinds) statements.push_back(store::ids_reserved(std::move(kind), 1));
  CO_TRY(std::vector<store::Rows> rows, co_await store::batch(in, std::move(statements)));
  std::vector<int64_t> ids;
  for (store::Rows& row : rows) ids.push_back(store::only<store::IdsReservedRow>(row).first);
  co_return ids;
}

Task<Result<NewKey>> add_key(Invocation& in, Operation operation) {
  NewKey made{0, make_key(in, operation.tenant), to_text(in.now())};
  CO_TRY(std::string key_hash, hash_key(in.deployment(), made.api_key));
  CO_TRY(std::vector<int64_t> ids, co_await reserve_ids(in, {"api_keys"}));
  made.id = ids[0];
  Races races;
  while (true) {
    std::vector<Statement> batch;
    batch.push_back(log_row(operation, {}, in.now()));
    batch.push_back(store::key_added(operation.tenant, made.id, key_hash, made.created_at));
    Result<Committed> committed = co_await commit_logged(in, operation, std::move(batch));
    if (committed.ok()) co_return made;
    if (!races.lost(committed)) co_return std::move(committed).error();
  }
}

Task<Result<Unit>> drop_key(Invocation& in, Operation operation, int64_t id) {
  Races races;
  while (true) {
    std::vector<Statement> batch;
    batch.push_back(store::guard_last_key(operation.tenant, id));
    batch.push_back(log_row(operation, {}, in.now()));
    batch.push_back(store::key_revoked(operation.tenant, id, to_text(in.now())));
    Result<Committed> committed = co_await commit_logged(in, operation, std::move(batch));
    if (committed.ok()) co_return Unit{};
    if (store::lost_guard(committed.error(), "last_key")) {
      co_return Error{ErrorCode::conflict,
                      "This is the tenant's last key: make another one first."};
    }
    if (!races.lost(committed)) co_return std::move(committed).error();
  }
}

Task<Result<HeldKey>> find_key(Invocation& in, TenantId tenant, int64_t id) {
  CO_TRY(store::Rows rows, co_await store::query(in, store::key_by_id(tenant, id)));
  HeldKey key(std::move(rows));
  if (!key) co_return not_found();
  co_return key;
}

}  // namespace

Task<Result<NewTenant>> create_tenant(Invocation& in, std::string name,
                                      std::optional<std::string> chosen_key) {
  CO_TRY(std::vector<int64_t> ids, co_await reserve_ids(in, {"tenants", "api_keys"}));
  TenantId tenant{ids[0]};
  NewTenant made{tenant.value, chosen_key ? std::move(*chosen_key) : make_key(in, tenant),
                 to_text(in.now())};
  CO_TRY(std::string key_hash, hash_key(in.deployment(), made.api_key));
  std::vector<Statement> batch;
  batch.push_back(store::tenant_added(tenant, std::move(name), made.created_at));
  batch.push_back(store::key_added(tenant, ids[1], key_hash, made.created_at));
  batch.push_back(store::schedule_added(tenant, std::string(kRetentionKind),
                                        to_text(next_retention(in.now()))));
  Result<Unit> committed = co_await commit_shown(in, std::move(batch), store::tenant_by_id(tenant));
  if (committed.ok()) co_return made;
  if (committed.error().code == ErrorCode::unique) co_return key_in_use();
  co_return std::move(committed).error();
}

Task<Result<store::Held<store::TenantByIdRow>>> find_tenant(Invocation& in, TenantId tenant) {
  CO_TRY(store::Rows rows, co_await store::query(in, store::tenant_by_id(tenant)));
  co_return store::Held<store::TenantByIdRow>(std::move(rows));
}

Task<Result<NewKey>> create_key(Invocation& in, TenantId tenant) {
  Operation operation = begun(in, {tenant, "manual"});
  return logged(in, operation, add_key(in, operation));
}

Task<Result<HeldKey>> revoke_key(Invocation& in, TenantId tenant, int64_t id) {
  CO_TRY(HeldKey key, co_await find_key(in, tenant, id));
  if (key->revoked_at) co_return key;
  Operation operation = begun(in, {tenant, "manual"});
  CO_TRY([[maybe_unused]] Unit done, co_await logged(in, operation, drop_key(in, operation, id)));
  co_return co_await find_key(in, tenant, id);
}

}  // namespace sm::flow
