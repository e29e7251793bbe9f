#include "core/flow/remove.h"

#include "core/base/limits.h"
#include "core/flow/log.h"
#include "core/store/store.h"

namespace sm::flow {
namespace {

struct Found {
  int64_t source_revision;
  store::Rows row;
  bool removed;
};

Task<Result<Found>> read(Invocation& in, TenantId tenant, SourceId source, PropertyId property) {
  std::vector<Statement> statements;
  statements.push_back(store::side_by_id(Side::source, tenant, source.value));
  statements.push_back(store::source_property(tenant, source, property));
  CO_TRY(std::vector<store::Rows> rows, co_await store::query_all(in, std::move(statements)));
  if (!rows[0].next() || !rows[1].next()) co_return not_found();
  bool removed = rows[1].maybe_text(8).has_value();
  co_return Found{rows[0].integer(7), std::move(rows[1]), removed};
}

Task<Result<store::Rows>> attempt(Invocation& in, TenantId tenant, SourceId source,
                                  PropertyId property, std::string sync_id) {
  CO_TRY(Found found, co_await read(in, tenant, source, property));
  if (found.removed) co_return std::move(found.row);
  std::string now = to_text(in.now());
  std::vector<Statement> batch;
  batch.push_back(store::guard_side(Side::source, tenant, source.value, found.source_revision));
  batch.push_back(store::log_added(tenant, sync_id, "manual", "success", source, std::nullopt, 1, 1,
                                   0, std::nullopt, now, now));
  batch.push_back(store::source_bumped(tenant, source, -1));
  batch.push_back(store::property_removed(tenant, source, property, now));
  batch.push_back(store::source_property(tenant, source, property));
  Result<std::vector<store::Rows>> written = co_await store::batch(in, std::move(batch));
  if (!written.ok()) {
    CO_TRY([[maybe_unused]] std::string committed,
           co_await settle_outcome(in, tenant, sync_id, std::move(written).error()));
    CO_TRY(Found now_removed, co_await read(in, tenant, source, property));
    co_return std::move(now_removed.row);
  }
  store::Rows shown = std::move(written.value().back());
  SM_CHECK(shown.next());
  co_return shown;
}

}  // namespace

Task<Result<store::Rows>> remove_property(Invocation& in, TenantId tenant, SourceId source,
                                          PropertyId property) {
  std::string sync_id = make_sync_id(in);
  for (int lost = 0;; ++lost) {
    Result<store::Rows> done = co_await attempt(in, tenant, source, property, sync_id);
    bool again =
        !done.ok() && store::lost_guard(done.error(), "source_changed") && lost < kMaxLostRaces;
    if (!again) co_return done;
  }
}

}  // namespace sm::flow
