#include "core/base/limits.h"
#include "core/flow/commit.h"
#include "core/flow/import_job.h"
#include "core/flow/staged_slice.h"
#include "core/store/pack.h"
#include "core/store/store.h"

namespace sm::flow {
namespace {

using Item = sync::ImportItem;

std::string lease_until(const Invocation& in) { return to_text(in.now() + kImportLeaseMs); }

Task<Result<Unit>> begin(Invocation& in, ImportJob& job) {
  std::vector<Statement> batch;
  batch.push_back(store::ids_reserved("imports", 1));
  batch.push_back(store::import_begun(job.order.tenant, job.source(), lease_until(in)));
  Result<std::vector<store::Rows>> written = co_await store::unseen_batch(in, std::move(batch));
  if (!written.ok()) co_return when_unseen(std::move(written).error());
  job.staged_id = store::only<store::IdsReservedRow>(written.value()[0]).first;
  co_return Unit{};
}

// The open part as it is to be staged.
struct Part {
  std::vector<const Item*> items;  // all that count
  Pack identities;                 // theirs, in this order
  std::vector<const Item*> sent;   // whose data the source does not have
  std::vector<const Item*> unsent;
  std::vector<std::pair<size_t, const Item*>> superseded;  // places of items of earlier parts
};

Pack pack_of(const std::vector<const Item*>& items) {
  store::IdentityPack pack;
  for (const Item* item : items) pack.add_placed(item->hash, item->index, item->external_id);
  return pack.finish();
}

Part open_part(const ImportJob& job) {
  Part part;
  for (const Item& item : job.set.items()) {
    if (!item.superseded) part.items.push_back(&item);
  }
  part.identities = pack_of(part.items);
  return part;
}

// Together with the source's row, as the next one: what is decided is true of one moment.
Task<Result<Unit>> compare(Invocation& in, ImportJob& job, Part& part) {
  TenantId tenant = job.order.tenant;
  std::vector<Statement> statements;
  statements.push_back(store::connector_by_id(Connector::source, tenant, job.order.source.id));
  statements.push_back(store::staged_differences(tenant, job.source(), part.identities));
  statements.push_back(store::staged_again(tenant, *job.staged_id, part.identities));
  CO_TRY(std::vector<store::Rows> rows, co_await store::query_all(in, std::move(statements)));
  CO_TRY([[maybe_unused]] Unit taken, take_source(job, std::move(rows[0])));
  auto differences = store::only<store::StagedDifferencesRow>(rows[1]);
  std::string_view letters = differences.letters.value_or("");
  SM_CHECK(letters.size() == part.items.size());
  part.sent.clear();
  part.unsent.clear();
  for (size_t i = 0; i < part.items.size(); ++i) {
    (letters[i] == '=' ? part.unsent : part.sent).push_back(part.items[i]);
  }
  part.superseded.clear();
  for (store::StagedAgainRow again; rows[2].next(again);) {
    part.superseded.emplace_back(static_cast<size_t>(again.place),
                                 part.items[static_cast<size_t>(again.key)]);
  }
  co_return Unit{};
}

void append_sent(std::vector<Statement>& batch, const Invocation& in, const ImportJob& job,
                 const Part& part) {
  TenantId tenant = job.order.tenant;
  auto count = static_cast<int64_t>(part.sent.size());
  batch.push_back(store::ids_reserved("property_data", count));
  store::DataPacks data;
  size_t bytes = 0;
  for (size_t i = 0; i < part.sent.size(); ++i) {
    bytes += part.sent[i]->data.size();
    data.add(part.sent[i]->hash, i, part.sent[i]->data);
  }
  for (auto& [quote, pack] : data.finish()) {
    batch.push_back(store::import_data(tenant, count, quote, pack));
  }
  append_stored(batch, in, tenant, static_cast<int64_t>(bytes));
  batch.push_back(store::staged_sent(tenant, *job.staged_id, count, pack_of(part.sent)));
}

Pack failed_pack(const ImportJob& job) {
  store::IdentityPack pack;
  for (std::string_view failed : job.set.failed_ids()) pack.add_placed({}, 0, failed);
  return pack.finish();
}

// Under a guard on the source's revision: what is not sent is taken from the source as it was
// compared with.
Task<Result<Unit>> write_part(Invocation& in, const ImportJob& job, const Part& part) {
  TenantId tenant = job.order.tenant;
  int64_t id = *job.staged_id;
  std::vector<Statement> batch;
  batch.push_back(store::guard_connector(Connector::source, tenant, job.order.source.id,
                                         job.order.source.revision));
  batch.push_back(store::guard_import(tenant, id));
  batch.push_back(store::import_renewed(tenant, id, lease_until(in)));
  if (!part.superseded.empty()) {
    batch.push_back(store::staged_superseded(tenant, id, part.identities));
  }
  if (!part.sent.empty()) append_sent(batch, in, job, part);
  if (!part.unsent.empty()) {
    batch.push_back(store::staged_unsent(tenant, job.source(), id, pack_of(part.unsent)));
  }
  if (!job.set.failed_ids().empty()) {
    batch.push_back(store::staged_failed(tenant, id, failed_pack(job)));
  }
  Result<std::vector<store::Rows>> written = co_await store::unseen_batch(in, std::move(batch));
  if (!written.ok()) co_return when_unseen(std::move(written).error());
  co_return Unit{};
}

struct StagedCounts : ImportCounts {
  int64_t items = 0;  // that are staged and did not fail
};

Task<Result<StagedCounts>> count_staged(Invocation& in, ImportJob& job) {
  std::vector<Statement> statements;
  statements.push_back(
      store::connector_by_id(Connector::source, job.order.tenant, job.order.source.id));
  statements.push_back(store::staged_counted(job.order.tenant, job.source(), *job.staged_id));
  if (job.removes()) {
    statements.push_back(
        store::staged_absent_counted(job.order.tenant, job.source(), *job.staged_id));
  }
  CO_TRY(std::vector<store::Rows> rows, co_await store::query_all(in, std::move(statements)));
  CO_TRY([[maybe_unused]] Unit taken, take_source(job, std::move(rows[0])));
  auto counted = store::only<store::StagedCountedRow>(rows[1]);
  StagedCounts counts;
  counts.items = counted.items;
  counts.fresh = counted.fresh;
  counts.changed = counted.changed;
  counts.returned = counted.returned;
  counts.revived = counted.revived;
  if (job.removes()) counts.removed = store::only<store::CountRow>(rows[2]).count;
  co_return counts;
}

void append_applied(std::vector<Statement>& batch, const Invocation& in, const ImportJob& job,
                    const StagedCounts& counts, const std::string& now) {
  TenantId tenant = job.order.tenant;
  SourceId source = job.source();
  int64_t id = *job.staged_id;
  batch.push_back(store::source_bumped(tenant, source, counts.live()));
  if (counts.changed > 0) {
    batch.push_back(store::ids_reserved("source_snapshots", counts.changed));
    batch.push_back(store::staged_snapshots(tenant, source, id, counts.changed, now));
  }
  if (counts.fresh > 0) {
    auto created = counts.fresh == counts.items ? store::staged_all_created : store::staged_created;
    batch.push_back(store::ids_reserved("source_properties", counts.fresh));
    batch.push_back(created(tenant, source, id, counts.fresh, now));
  }
  if (counts.changed > 0) batch.push_back(store::staged_updated(tenant, source, id, now));
  if (counts.returned > 0) batch.push_back(store::staged_returned(tenant, source, id, now));
  if (counts.removed > 0) batch.push_back(store::staged_removed(tenant, source, id, now));
  if (counts.live() > 0) append_guard(batch, in, tenant, Quota::properties);
}

}  // namespace

Task<Result<Unit>> stage_part(Invocation& in, ImportJob& job) {
  job.set.finish_hashes();
  if (!in.may_go_on()) {
    co_return Error{ErrorCode::too_large,
                    "This import takes more steps than the store allows one request: send it in "
                    "several. Nothing was changed."};
  }
  if (!job.staged_id) {
    CO_TRY([[maybe_unused]] Unit begun, co_await begin(in, job));
  }
  Part part = open_part(job);
  Races races(in);
  while (true) {
    CO_TRY([[maybe_unused]] Unit compared, co_await compare(in, job, part));
    Result<Unit> written = co_await write_part(in, job, part);
    if (written.ok()) break;
    if (!races.lost(written)) co_return std::move(written).error();
  }
  for (auto [place, item] : part.superseded) job.set.supersede_earlier(place, item->external_id);
  job.set.next_part(in.arena());
  co_return Unit{};
}

Task<Result<ImportOutcome>> apply_staged(Invocation& in, ImportJob& job) {
  CO_TRY(StagedCounts counts, co_await count_staged(in, job));
  CO_TRY([[maybe_unused]] Unit allowed, check_removals(job, counts.removed));
  ImportOutcome outcome = outcome_of(job, counts);
  TenantId tenant = job.order.tenant;
  std::string now = to_text(in.now());
  std::vector<Statement> batch;
  batch.push_back(store::guard_connector(Connector::source, tenant, job.order.source.id,
                                         job.order.source.revision));
  batch.push_back(store::guard_import(tenant, *job.staged_id));
  batch.push_back(log_of(job, outcome, in.now()));
  batch.push_back(store::staged_unused(tenant, job.source(), *job.staged_id));
  if (counts.written() > 0) append_applied(batch, in, job, counts, now);
  batch.push_back(store::staging_dropped(tenant, *job.staged_id));
  batch.push_back(store::import_ended(tenant, *job.staged_id));
  CO_TRY([[maybe_unused]] Committed committed,
         co_await commit_logged(in, job.operation, std::move(batch)));
  co_return outcome;
}

Task<Result<Unit>> discard_staged(Invocation& in, ImportJob& job) {
  // One slice is no more than what every request is left for its end (kQueriesToEnd).
  for (bool goes_on = true; goes_on;) {
    CO_TRY(StagedSlice slice, co_await next_staged_slice(in, job.order.tenant, *job.staged_id));
    goes_on = !slice.last && in.may_go_on();
    CO_TRY([[maybe_unused]] auto dropped, co_await store::unseen_batch(in, std::move(slice.drops)));
  }
  co_return Unit{};
}

}  // namespace sm::flow
