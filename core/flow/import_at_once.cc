#include "core/base/limits.h"
#include "core/flow/import_job.h"
#include "core/flow/log.h"
#include "core/store/pack.h"
#include "core/store/store.h"

namespace sm::flow {
namespace {

using Item = sync::ImportItem;

// What of the open part is to be written.
struct Differences {
  std::vector<const Item*> changed;   // fresh and changed ones
  std::vector<const Item*> returned;  // removed ones that came back as they were
  ImportCounts counts;
};

Pack pack_of(const std::vector<const Item*>& items) {
  store::IdentityPack pack;
  for (const Item* item : items) pack.add(item->hash, item->external_id);
  return pack.finish();
}

std::vector<const Item*> counted_items(const ImportJob& job) {
  std::vector<const Item*> items;
  for (const Item& item : job.set.items()) {
    if (!item.superseded) items.push_back(&item);
  }
  return items;
}

// The identities of a full import: those of all items, and behind them of items that failed.
Pack present_in(const std::vector<const Item*>& items, const ImportJob& job) {
  store::IdentityPack pack;
  for (const Item* item : items) pack.add(item->hash, item->external_id);
  for (std::string_view failed : job.set.failed_ids()) pack.add({}, failed);
  return pack.finish();
}

// A source without any property differs in everything.
Task<Result<bool>> is_empty(Invocation& in, const ImportJob& job) {
  if (job.order.source.property_count > 0) co_return false;
  CO_TRY(store::Rows rows,
         co_await store::query(in, store::source_has_rows(job.order.tenant, job.source())));
  co_return store::only_integer(std::move(rows)) == 0;
}

Task<Result<Differences>> find_differences(Invocation& in, const ImportJob& job, Pack present) {
  std::vector<const Item*> items = counted_items(job);
  Differences found;
  CO_TRY(bool empty, co_await is_empty(in, job));
  if (empty) {
    found.counts.fresh = static_cast<int64_t>(items.size());
    found.changed = std::move(items);
    co_return found;
  }
  std::vector<Statement> statements;
  statements.push_back(store::import_differences(job.order.tenant, job.source(), present));
  if (job.removes()) {
    statements.push_back(store::absent_counted(job.order.tenant, job.source(), present));
  }
  CO_TRY(std::vector<store::Rows> results, co_await store::query_all(in, std::move(statements)));
  for (store::Rows& rows = results[0]; rows.next();) {
    auto place = static_cast<size_t>(rows.integer(0));
    if (place >= items.size()) continue;  // an item that failed
    bool exists = rows.integer(1) != 0;
    bool differs = rows.integer(2) != 0;
    bool was_removed = rows.integer(3) != 0;
    (differs ? found.changed : found.returned).push_back(items[place]);
    if (!exists) {
      ++found.counts.fresh;
    } else if (!differs) {
      ++found.counts.returned;
    } else {
      ++found.counts.changed;
      if (was_removed) ++found.counts.revived;
    }
  }
  if (job.removes()) found.counts.removed = store::only_integer(std::move(results[1]));
  co_return found;
}

void append_changed(std::vector<Statement>& batch, const ImportJob& job, const Differences& found,
                    const std::string& now) {
  TenantId tenant = job.order.tenant;
  auto count = static_cast<int64_t>(found.changed.size());
  batch.push_back(store::ids_reserved("property_data", count));
  store::DataPacks data;
  for (size_t i = 0; i < found.changed.size(); ++i) {
    data.add(found.changed[i]->hash, i, found.changed[i]->data);
  }
  for (auto& [quote, pack] : data.finish()) {
    batch.push_back(store::import_data(tenant, count, quote, pack));
  }
  Pack pack = pack_of(found.changed);
  if (found.counts.changed > 0) {
    // Before the rows: they copy what the rows are about to lose.
    batch.push_back(store::import_snapshots(tenant, job.source(), now, pack));
    batch.push_back(store::ids_taken("source_snapshots"));
  }
  batch.push_back(store::import_rows(tenant, job.source(), count, now, pack));
  batch.push_back(store::ids_taken("source_properties"));
}

void append_differences(std::vector<Statement>& batch, const ImportJob& job,
                        const Differences& found, const Pack& present, const std::string& now) {
  TenantId tenant = job.order.tenant;
  batch.push_back(store::source_bumped(tenant, job.source(), found.counts.live()));
  if (!found.changed.empty()) append_changed(batch, job, found, now);
  if (!found.returned.empty()) {
    batch.push_back(store::import_returned(tenant, job.source(), now, pack_of(found.returned)));
  }
  if (found.counts.removed > 0) {
    batch.push_back(store::import_removed(tenant, job.source(), now, present));
  }
}

}  // namespace

Task<Result<ImportOutcome>> import_at_once(Invocation& in, ImportJob& job) {
  Pack present = present_in(counted_items(job), job);
  CO_TRY(Differences found, co_await find_differences(in, job, present));
  CO_TRY([[maybe_unused]] Unit allowed, check_removals(job, found.counts.removed));
  ImportOutcome outcome = outcome_of(job, found.counts);
  std::string now = to_text(in.now());
  std::vector<Statement> batch;
  batch.push_back(store::guard_side(Side::source, job.order.tenant, job.order.source.id,
                                    job.order.source.revision));
  batch.push_back(log_of(job, outcome, now));
  if (found.counts.written() > 0) append_differences(batch, job, found, present, now);
  Result<std::vector<store::Rows>> written = co_await store::batch(in, std::move(batch));
  if (!written.ok()) {
    CO_TRY([[maybe_unused]] std::string committed,
           co_await settle_outcome(in, job.order.tenant, job.sync_id, std::move(written).error()));
  }
  co_return outcome;
}

}  // namespace sm::flow
