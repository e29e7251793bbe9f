#include "core/flow/tenants.h"
#include "core/api/handlers.h"
#include "core/api/paging.h"
#include "core/api/rows.h"
#include "core/flow/access.h"
#include "core/flow/rates.h"
#include "core/http/conditional.h"
#include "core/json/writer.h"

namespace sm::api {
namespace {

std::optional<std::vector<int64_t>> state_numbers(const flow::ListKey&, store::Rows& rows) {
  auto state = store::only<store::KeysStateRow>(rows);
  return std::vector<int64_t>{state.count, state.last, state.revoked, state.used};
}

std::optional<std::vector<int64_t>> changes(const flow::ListKey&, store::Rows& rows) {
  return std::vector<int64_t>{store::only<store::TenantsStateRow>(rows).changes};
}

// What the body of a request says of a new key. Errors: invalid, where it would open nothing.
Result<flow::KeyOrder> key_order(const Members& members, Time now) {
  flow::KeyOrder order;
  if (members.json("name")) order.name = members.text("name");
  if (members.json("scope")) order.scope = members.text("scope");
  if (members.json("expires_at")) {
    auto end = parse_time(members.text("expires_at"));
    if (!end || !(now < *end)) return invalid_field("/expires_at", "must be in the future");
    order.expires_at = to_text(*end);
  }
  return order;
}

ResponseTask answer_new_key(Invocation& in, TenantId tenant, flow::Actor actor, Call call) {
  CO_TRY(flow::KeyOrder order, key_order(call.members, in.now()));
  CO_TRY(flow::NewKey made, co_await flow::create_key(in, tenant, actor, std::move(order)));
  http::Response created =
      http::json_unstored(201, json::object([&](json::ObjectWriter& key) {
                            key.integer("id", made.id);
                            key.text("api_key", made.api_key);
                            key.text("created_at", made.created_at);
                            key.maybe_text("name", made.order.name);
                            key.text("scope", made.order.scope);
                            key.maybe_text("expires_at", made.order.expires_at);
                          }));
  co_return http::with_header(std::move(created), "location", "/keys/" + std::to_string(made.id));
}

int64_t limit_or_none(const Invocation& in, const flow::Allowance& allowance) {
  return flow::limit_of(in.deployment(), allowance).value_or(0);
}

void append_quotas(std::string& json, const Invocation& in, const flow::Usage& used) {
  json::ObjectWriter quotas(json);
  for (size_t i = 0; i < flow::kQuotas.size(); ++i) {
    json::ObjectWriter(quotas.key(flow::kQuotas[i].name))
        .maybe_integer("limit", flow::limit_of(in.deployment(), flow::kQuotas[i]))
        .integer("used", used[i])
        .end();
  }
  quotas.end();
}

// The rates that concern a tenant, and what they are called.
struct TenantRate {
  std::string_view name;
  const flow::Allowance& allowance;
};
constexpr TenantRate kTenantRates[] = {{"requests_per_second", flow::kRequests},
                                       {"writes_at_once", flow::kWrites}};

void append_rates(std::string& json, const Invocation& in) {
  json::ObjectWriter rates(json);
  for (const TenantRate& rate : kTenantRates) {
    rates.maybe_integer(rate.name, flow::limit_of(in.deployment(), rate.allowance));
  }
  rates.end();
}

ResponseTask answer_standing(Invocation& in, Call call, flow::Standing standing) {
  CO_TRY(auto tenant, co_await flow::set_standing(in, TenantId{call.ids[0]}, standing));
  std::string json;
  append_listed_tenant(json, *tenant);
  co_return http::json(200, std::move(json));
}

}  // namespace

ResponseTask create_tenant(Invocation& in, Call call) {
  std::string name = call.members.text("name");
  std::optional<std::string> chosen_key;
  if (call.members.json("api_key")) chosen_key = call.members.text("api_key");
  // Whoever has the administrator's token may make as many as they like.
  std::optional<std::string> address;
  if (!flow::check_administrator(in.deployment(), call.request.header("authorization")).ok()) {
    address = call.request.address;
  }
  CO_TRY(flow::NewTenant made,
         co_await flow::create_tenant(in, name, std::move(chosen_key), std::move(address)));
  http::Response created = http::json_unstored(201, json::object([&](json::ObjectWriter& tenant) {
                                                 tenant.integer("id", made.id).text("name", name);
                                                 tenant.text("api_key", made.api_key);
                                                 tenant.text("created_at", made.created_at);
                                               }));
  co_return http::with_header(std::move(created), "location",
                              "/tenants/" + std::to_string(made.id));
}

ResponseTask show_tenant(Invocation& in, Call call) {
  if (call.ids[0] != call.tenant.value) co_return not_found();
  CO_TRY(flow::TenantUsage found, co_await flow::find_usage(in, call.tenant));
  std::vector<int64_t> state(found.used.begin(), found.used.end());
  for (const flow::Allowance& quota : flow::kQuotas) state.push_back(limit_or_none(in, quota));
  for (const TenantRate& rate : kTenantRates) state.push_back(limit_or_none(in, rate.allowance));
  std::string json = json::object([&](json::ObjectWriter& tenant) {
    append_tenant(tenant, *found.tenant);
    append_quotas(tenant.key("quotas"), in, found.used);
    append_rates(tenant.key("rates"), in);
  });
  http::Response response = http::json(200, std::move(json));
  response = http::with_header(std::move(response), "etag",
                               http::entity_tag("tenant", call.tenant, state));
  co_return http::unless_known(call.request, std::move(response));
}

ResponseTask list_tenants(Invocation& in, Call call) {
  CO_TRY(flow::PageRequest page, read_page_request(in, call));
  flow::List list{{call.tenant},
                  [](const flow::ListKey&) { return store::tenants_state(); },
                  changes,
                  list_tag_kind(call, "tenants"),
                  [](const flow::ListKey&, flow::Slice slice) {
                    return store::tenants_page(slice.after, slice.rows);
                  },
                  append_next<store::TenantRow, append_listed_tenant>};
  co_return co_await flow::answer_list(in, std::move(call.request), std::move(list), page);
}

ResponseTask suspend_tenant(Invocation& in, Call call) {
  return answer_standing(in, std::move(call), flow::Standing::suspended);
}

ResponseTask resume_tenant(Invocation& in, Call call) {
  return answer_standing(in, std::move(call), flow::Standing::active);
}

ResponseTask create_key_for_tenant(Invocation& in, Call call) {
  TenantId tenant{call.ids[0]};
  return answer_new_key(in, tenant, flow::Actor::administrator, std::move(call));
}

ResponseTask list_keys(Invocation& in, Call call) {
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

ResponseTask create_key(Invocation& in, Call call) {
  TenantId tenant = call.tenant;
  return answer_new_key(in, tenant, flow::Actor::tenant, std::move(call));
}

ResponseTask revoke_key(Invocation& in, Call call) {
  CO_TRY(auto revoked, co_await flow::revoke_key(in, call.tenant, call.ids[0]));
  std::string json;
  append_key(json, *revoked);
  co_return http::json(200, std::move(json));
}

}  // namespace sm::api
