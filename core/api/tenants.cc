#include "core/api/handlers.h"
#include "core/api/paging.h"
#include "core/api/rows.h"
#include "core/flow/access.h"
#include "core/flow/commit.h"
#include "core/flow/retention.h"
#include "core/http/conditional.h"
#include "core/json/cursor.h"
#include "core/store/store.h"

namespace sm::api {
namespace {

Error key_in_use() {
  return {ErrorCode::conflict,
          "This api_key is in use already: choose another, or leave it out to get one."};
}

std::string key_json(int64_t id, std::string_view key, std::string_view now) {
  return "{\"id\":" + std::to_string(id) + ",\"api_key\":" + json::quote(key) +
         ",\"created_at\":" + json::quote(now) + "}";
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

std::optional<std::vector<int64_t>> state_numbers(const flow::ListKey&, store::Rows& rows) {
  auto state = store::only<store::KeysStateRow>(rows);
  return std::vector<int64_t>{state.count, state.last, state.revoked};
}

// Each key that is made or revoked leaves a log row.
Answered add_key(Invocation& in, flow::Operation operation) {
  std::string key = flow::make_key(in, operation.tenant);
  CO_TRY(std::string key_hash, flow::hash_key(in.deployment(), key));
  CO_TRY(std::vector<int64_t> ids, co_await reserve_ids(in, {"api_keys"}));
  int64_t id = ids[0];
  std::string now = to_text(in.now());
  flow::Races races;
  while (true) {
    std::vector<Statement> batch;
    batch.push_back(flow::log_row(operation, {}, in.now()));
    batch.push_back(store::key_added(operation.tenant, id, key_hash, now));
    Result<flow::Committed> committed =
        co_await flow::commit_logged(in, operation, std::move(batch));
    if (committed.ok()) break;
    if (!races.lost(committed)) co_return std::move(committed).error();
  }
  co_return http::with_header(http::json_unstored(201, key_json(id, key, now)), "location",
                              "/keys/" + std::to_string(id));
}

Task<Result<Unit>> drop_key(Invocation& in, flow::Operation operation, int64_t id) {
  flow::Races races;
  while (true) {
    std::vector<Statement> batch;
    batch.push_back(store::guard_last_key(operation.tenant, id));
    batch.push_back(flow::log_row(operation, {}, in.now()));
    batch.push_back(store::key_revoked(operation.tenant, id, to_text(in.now())));
    Result<flow::Committed> committed =
        co_await flow::commit_logged(in, operation, std::move(batch));
    if (committed.ok()) co_return Unit{};
    if (store::lost_guard(committed.error(), "last_key")) {
      co_return Error{ErrorCode::conflict,
                      "This is the tenant's last key: make another one first."};
    }
    if (!races.lost(committed)) co_return std::move(committed).error();
  }
}

}  // namespace

Answered create_tenant(Invocation& in, Call call) {
  std::string name = call.members.text("name");
  CO_TRY(std::vector<int64_t> ids, co_await reserve_ids(in, {"tenants", "api_keys"}));
  int64_t id = ids[0];
  int64_t key_id = ids[1];
  std::string key = call.members.json("api_key") ? call.members.text("api_key")
                                                 : flow::make_key(in, TenantId{id});
  CO_TRY(std::string key_hash, flow::hash_key(in.deployment(), key));
  std::string now = to_text(in.now());
  std::vector<Statement> batch;
  batch.push_back(store::tenant_added(TenantId{id}, name, now));
  batch.push_back(store::key_added(TenantId{id}, key_id, key_hash, now));
  batch.push_back(store::schedule_added(TenantId{id}, std::string(flow::kRetentionKind),
                                        to_text(flow::next_retention(in.now()))));
  Result<std::vector<store::Rows>> written = co_await store::batch(in, std::move(batch));
  if (!written.ok()) {
    if (written.error().code == ErrorCode::unique) co_return key_in_use();
    co_return std::move(written).error();
  }
  http::Response created = http::json_unstored(
      201, "{\"id\":" + std::to_string(id) + ",\"name\":" + json::quote(name) +
               ",\"api_key\":" + json::quote(key) + ",\"created_at\":" + json::quote(now) + "}");
  co_return http::with_header(std::move(created), "location", "/tenants/" + std::to_string(id));
}

Answered show_tenant(Invocation& in, Call call) {
  if (call.ids[0] != call.tenant.value) co_return not_found();
  CO_TRY(store::Rows tenant, co_await store::query(in, store::tenant_by_id(call.tenant)));
  std::string json;
  append_tenant(json, store::only<store::TenantByIdRow>(tenant));
  co_return http::json(200, std::move(json));
}

Answered list_keys(Invocation& in, Call call) {
  CO_TRY(flow::PageRequest page, read_page_request(in, call));
  flow::List list{{call.tenant},
                  [](const flow::ListKey& key) { return store::keys_state(key.tenant); },
                  state_numbers,
                  list_tag_kind(call, "keys"),
                  [](const flow::ListKey& key, flow::Slice slice) {
                    return store::keys_page(key.tenant, slice.after, slice.rows);
                  },
                  append_next<store::KeyRow, append_key>};
  co_return co_await flow::answer_list(in, std::move(call.request), std::move(list), page);
}

Answered create_key(Invocation& in, Call call) {
  flow::Operation operation = flow::begun(in, {call.tenant, "manual"});
  co_return co_await flow::logged(in, operation, add_key(in, operation));
}

Answered revoke_key(Invocation& in, Call call) {
  int64_t id = call.ids[0];
  CO_TRY(store::Rows rows, co_await store::query(in, store::key_by_id(call.tenant, id)));
  store::KeyRow known;
  if (!rows.next(known)) co_return not_found();
  if (!known.revoked_at) {
    flow::Operation operation = flow::begun(in, {call.tenant, "manual"});
    CO_TRY([[maybe_unused]] Unit done,
           co_await flow::logged(in, operation, drop_key(in, operation, id)));
  }
  CO_TRY(store::Rows revoked, co_await store::query(in, store::key_by_id(call.tenant, id)));
  std::string json;
  append_key(json, store::only<store::KeyRow>(revoked));
  co_return http::json(200, std::move(json));
}

}  // namespace sm::api
