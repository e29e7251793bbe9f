#include "core/flow/quotas.h"

#include <string>
#include <string_view>

#include "core/base/time.h"
#include "core/store/store.h"

namespace sm::flow {
namespace {

// What guards name (schema/queries/quotas.sql), and how a person says it, in the order of kQuotas.
struct Words {
  std::string_view guard;
  std::string_view things;
};
constexpr std::array<Words, kQuotas.size()> kWords = {{
    {"properties_over", "live properties, of sources and targets together"},
    {"data_over", "bytes of data, history included"},
    {"sources_over", "sources"},
    {"targets_over", "targets"},
    {"keys_over", "keys that are alive"},
}};

Error exceeded(const Invocation& in, size_t quota, int64_t used) {
  const Allowance& allowance = kQuotas[quota];
  int64_t limit = limit_of(in.deployment(), allowance).value_or(0);
  std::string detail = "This tenant may have " + std::to_string(limit) + " " +
                       std::string(kWords[quota].things) + ", and has " + std::to_string(used) +
                       ". What was asked for would pass that, so nothing was changed: delete "
                       "something first (POST /cleanup drops history), or ask whoever runs this "
                       "deployment for more.";
  return {ErrorCode::quota_exceeded,
          std::move(detail),
          {},
          Spent{std::string(allowance.name), limit, used}};
}

}  // namespace

Usage read_usage(store::Rows& rows) {
  auto usage = store::only<store::TenantUsageRow>(rows);
  return {usage.properties, usage.data_bytes, usage.sources, usage.targets, usage.keys};
}

void append_guard(std::vector<Statement>& batch, const Invocation& in, TenantId tenant,
                  Quota quota) {
  auto most = limit_of(in.deployment(), kQuotas[static_cast<size_t>(quota)]);
  if (!most) return;
  switch (quota) {
    case Quota::properties:
      return batch.push_back(store::guard_properties(tenant, *most));
    case Quota::data_bytes:
      return batch.push_back(store::guard_data(tenant, *most));
    case Quota::sources:
      return batch.push_back(store::guard_connectors(Connector::source, tenant, *most));
    case Quota::targets:
      return batch.push_back(store::guard_connectors(Connector::target, tenant, *most));
    case Quota::keys:
      return batch.push_back(store::guard_keys(tenant, *most, to_text(in.now())));
  }
}

void append_stored(std::vector<Statement>& batch, const Invocation& in, TenantId tenant,
                   int64_t bytes) {
  batch.push_back(store::data_stored(tenant, bytes));
  append_guard(batch, in, tenant, Quota::data_bytes);
}

Task<Error> explained(Invocation& in, TenantId tenant, Error error) {
  if (error.code != ErrorCode::guard) co_return error;
  for (size_t quota = 0; quota < kWords.size(); ++quota) {
    if (error.detail != kWords[quota].guard) continue;
    Result<store::Rows> rows =
        co_await store::query(in, store::tenant_usage(tenant, to_text(in.now())));
    if (!rows.ok()) co_return std::move(rows).error();
    co_return exceeded(in, quota, read_usage(rows.value())[quota]);
  }
  co_return error;
}

}  // namespace sm::flow
