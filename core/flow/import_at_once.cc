#include <algorithm>
#include <utility>

#include "core/base/limits.h"
#include "core/flow/commit.h"
#include "core/flow/import_job.h"
#include "core/store/pack.h"
#include "core/store/store.h"

namespace sm::flow {
namespace {

using Item = sync::ImportItem;

// What of the open part is to be written.
struct Differences {
  std::vector<const Item*> changed;   // fresh ones, and behind them those that changed
  std::vector<const Item*> returned;  // removed ones that came back as they were
  Pack present;                       // all identities
  std::string digest;                 // of them
  ImportCounts counts;

  // `letter` as import_differences gives it.
  void add(const Item* item, char letter) {
    if (letter == '=') return;
    (letter == 'r' ? returned : changed).push_back(item);
    if (letter == 'r') ++counts.returned;
    if (letter == 'n') std::swap(changed[static_cast<size_t>(counts.fresh++)], changed.back());
    if (letter == 'c' || letter == 'd') ++counts.changed;
    if (letter == 'd') ++counts.revived;
  }

  // Rows whose ids rise with their keys are written, and read again, in one order. Fresh ones
  // stand first, since they alone get ids.
  void sort() {
    auto by_key = [](const Item* a, const Item* b) { return a->external_id < b->external_id; };
    auto fresh_end = changed.begin() + counts.fresh;
    std::sort(changed.begin(), fresh_end, by_key);
    std::sort(fresh_end, changed.end(), by_key);
  }
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

// One text for each list of identities with their hashes, and what is done with it.
std::string digest_of(const ImportJob& job, const Pack& present) {
  Sha256 digest;
  digest.update(job.removes() ? "full" : "upsert");
  digest.update(*present);
  return to_hex(digest.finish());
}

// A source without any property differs in everything.
Task<Result<bool>> is_empty(Invocation& in, ImportJob& job) {
  if (job.order.source.property_count > 0) co_return false;
  std::vector<Statement> statements;
  statements.push_back(
      store::connector_by_id(Connector::source, job.order.tenant, job.order.source.id));
  statements.push_back(store::source_has_rows(job.order.tenant, job.source()));
  CO_TRY(std::vector<store::Rows> rows, co_await store::query_all(in, std::move(statements)));
  CO_TRY([[maybe_unused]] Unit taken, take_source(job, std::move(rows[0])));
  co_return store::only<store::SourceHasRowsRow>(rows[1]).found == 0;
}

// Together with the source's row, so that what is decided on the two is true of one moment.
Task<Result<Differences>> find_differences(Invocation& in, ImportJob& job) {
  std::vector<const Item*> items = counted_items(job);
  Differences found;
  found.present = present_in(items, job);
  found.digest = digest_of(job, found.present);
  // A guard on the revision comes with the batch, so this is asked of the row as it was first read.
  std::string last = std::exchange(job.order.last_digest, {});
  if (last == found.digest) co_return found;
  CO_TRY(bool empty, co_await is_empty(in, job));
  if (empty) {
    found.counts.fresh = static_cast<int64_t>(items.size());
    found.changed = std::move(items);
    found.sort();
    co_return found;
  }
  std::vector<Statement> statements;
  statements.push_back(
      store::connector_by_id(Connector::source, job.order.tenant, job.order.source.id));
  statements.push_back(store::import_differences(job.order.tenant, job.source(), found.present));
  if (job.removes()) {
    statements.push_back(store::absent_counted(job.order.tenant, job.source(), found.present));
  }
  CO_TRY(std::vector<store::Rows> results, co_await store::query_all(in, std::move(statements)));
  CO_TRY([[maybe_unused]] Unit taken, take_source(job, std::move(results[0])));
  auto differences = store::only<store::ImportDifferencesRow>(results[1]);
  std::string_view letters = differences.letters.value_or("");
  SM_CHECK(letters.size() >= items.size());
  for (size_t i = 0; i < items.size(); ++i) found.add(items[i], letters[i]);
  found.sort();
  if (job.removes()) found.counts.removed = store::only<store::CountRow>(results[2]).count;
  co_return found;
}

void append_changed(std::vector<Statement>& batch, const Invocation& in, const ImportJob& job,
                    const Differences& found, const std::string& now) {
  TenantId tenant = job.order.tenant;
  auto count = static_cast<int64_t>(found.changed.size());
  int64_t fresh = found.counts.fresh;
  batch.push_back(store::ids_reserved("property_data", count));
  store::DataPacks data;
  size_t bytes = 0;
  for (size_t i = 0; i < found.changed.size(); ++i) {
    bytes += found.changed[i]->data.size();
    data.add(found.changed[i]->hash, i, found.changed[i]->data);
  }
  for (auto& [quote, pack] : data.finish()) {
    batch.push_back(store::import_data(tenant, count, quote, pack));
  }
  append_stored(batch, in, tenant, static_cast<int64_t>(bytes));
  Pack pack = pack_of(found.changed);
  if (found.counts.changed > 0) {
    // Before the rows: they copy what the rows are about to lose.
    batch.push_back(store::ids_reserved("source_snapshots", found.counts.changed));
    batch.push_back(
        store::import_snapshots(tenant, job.source(), fresh, found.counts.changed, now, pack));
  }
  if (fresh > 0) batch.push_back(store::ids_reserved("source_properties", fresh));
  batch.push_back(store::import_rows(tenant, job.source(), fresh, count, now, pack));
}

void append_differences(std::vector<Statement>& batch, const Invocation& in, const ImportJob& job,
                        const Differences& found, const std::string& now) {
  TenantId tenant = job.order.tenant;
  batch.push_back(store::source_bumped(tenant, job.source(), found.counts.live()));
  batch.push_back(store::import_remembered(tenant, job.source(), found.digest));
  if (!found.changed.empty()) append_changed(batch, in, job, found, now);
  if (!found.returned.empty()) {
    batch.push_back(store::import_returned(tenant, job.source(), now, pack_of(found.returned)));
  }
  if (found.counts.removed > 0) {
    batch.push_back(store::import_removed(tenant, job.source(), now, found.present));
  }
  if (found.counts.live() > 0) append_guard(batch, in, tenant, Quota::properties);
}

}  // namespace

Task<Result<ImportOutcome>> import_at_once(Invocation& in, ImportJob& job) {
  CO_TRY(Differences found, co_await find_differences(in, job));
  CO_TRY([[maybe_unused]] Unit allowed, check_removals(job, found.counts.removed));
  ImportOutcome outcome = outcome_of(job, found.counts);
  std::string now = to_text(in.now());
  std::vector<Statement> batch;
  batch.push_back(store::guard_connector(Connector::source, job.order.tenant, job.order.source.id,
                                         job.order.source.revision));
  batch.push_back(log_of(job, outcome, in.now()));
  if (found.counts.written() > 0) append_differences(batch, in, job, found, now);
  CO_TRY([[maybe_unused]] Committed committed,
         co_await commit_logged(in, job.operation, std::move(batch)));
  co_return outcome;
}

}  // namespace sm::flow
