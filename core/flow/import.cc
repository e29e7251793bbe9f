#include "core/flow/import.h"

#include <cstring>

#include "core/base/encoding.h"
#include "core/base/limits.h"
#include "core/flow/body.h"
#include "core/flow/log.h"
#include "core/json/item_reader.h"
#include "core/store/pack.h"
#include "core/store/store.h"

namespace sm::flow {
namespace {

using Item = sync::ImportItem;

// Items that were classified together, and where their data went.
struct Part {
  std::vector<size_t> changed;  // places in the set: fresh and changed items, in order
  int64_t first_data_id = 0;    // of the first of `changed`; the others follow
};

// Everything that an import knows; lives in the frame of import_body.
struct Import {
  ImportOrder order;
  sync::ImportSet set;
  std::string sync_id;
  std::string started_at;
  std::vector<Part> sent = {};  // parts whose data is in the store already
  size_t open_from = 0;         // place of the first item that is not in a sent part
};

Error shape_error(const std::vector<json::ShapeProblem>& problems) {
  std::vector<FieldError> fields;
  for (const json::ShapeProblem& problem : problems) {
    using Kind = json::ShapeProblem::Kind;
    const char* detail = problem.kind == Kind::not_object ? "must be a JSON object"
                         : problem.kind == Kind::missing  ? "is required"
                         : problem.kind == Kind::not_list ? "must be a list"
                         : problem.kind == Kind::duplicate
                             ? "must be given once"
                             : "is not a member that can be given here";
    fields.push_back({FieldError::In::body, problem.pointer, detail});
  }
  return invalid_body(std::move(fields));
}

Error too_many() {
  return {ErrorCode::too_large, "An import takes at most " + std::to_string(kMaxImportItems) +
                                    " properties, fewer where their identities are long: send "
                                    "them in several imports."};
}

Error malformed(size_t offset) {
  return {ErrorCode::malformed,
          "The byte at offset " + std::to_string(offset) + " cannot continue a JSON text."};
}

Task<Result<Reply>> perform_one(Invocation& in, Effect effect) {
  std::vector<Effect> effects;
  effects.push_back(std::move(effect));
  std::vector<Reply> replies = co_await in.perform(std::move(effects));
  if (replies[0].error) co_return std::move(*replies[0].error);
  co_return std::move(replies[0]);
}

// Asks the store which of the open items differ, and marks them all.
Task<Result<Part>> classify(Invocation& in, Import& import) {
  auto& items = import.set.items();
  std::vector<Statement> statements;
  std::vector<size_t> places;
  std::vector<size_t> starts;
  store::IdentityPack pack;
  auto flush = [&] {
    if (pack.items() == 0) return;
    starts.push_back(places.size() - pack.items());
    statements.push_back(
        store::import_differences(import.order.tenant, import.order.source, pack.finish()));
  };
  for (size_t place = import.open_from; place < items.size(); ++place) {
    if (items[place].state == Item::State::superseded) continue;
    items[place].state = Item::State::unchanged;
    places.push_back(place);
    pack.add(items[place].hash, items[place].external_id);
    if (pack.full()) flush();
  }
  flush();
  Part part;
  if (statements.empty()) co_return part;
  CO_TRY(std::vector<store::Rows> results, co_await store::query_all(in, std::move(statements)));
  for (size_t i = 0; i < results.size(); ++i) {
    while (results[i].next()) {
      size_t place = places[starts[i] + static_cast<size_t>(results[i].integer(0))];
      bool exists = results[i].integer(1) != 0;
      items[place].state = exists ? Item::State::changed : Item::State::fresh;
      part.changed.push_back(place);
    }
  }
  co_return part;
}

void append_data(std::vector<Statement>& batch, const Import& import, sync::ImportSet& set,
                 const Part& part) {
  store::DataPacks packs;
  for (size_t i = 0; i < part.changed.size(); ++i) {
    const Item& item = set.items()[part.changed[i]];
    packs.add(item.hash, i, item.data);
  }
  for (auto& [quote, pack] : packs.finish()) {
    batch.push_back(store::import_data(import.order.tenant, part.first_data_id, quote, pack));
  }
}

// Sends the data of what was read so far, and forgets it.
Task<Result<Unit>> send_part_ahead(Invocation& in, Import& import, Arena& data) {
  import.set.finish_hashes();
  CO_TRY(Part part, co_await classify(in, import));
  if (!part.changed.empty()) {
    std::vector<Statement> reservation;
    reservation.push_back(
        store::ids_reserved("property_data", static_cast<int64_t>(part.changed.size())));
    CO_TRY(std::vector<store::Rows> ids, co_await store::batch(in, std::move(reservation)));
    part.first_data_id = store::only_integer(std::move(ids[0]));
    std::vector<Statement> batch;
    append_data(batch, import, import.set, part);
    CO_TRY([[maybe_unused]] auto rows, co_await store::batch(in, std::move(batch)));
  }
  import.sent.push_back(std::move(part));
  import.open_from = import.set.items().size();
  import.set.release_data();
  data.release_all();
  co_return Unit{};
}

// Reads the body to its end. What it leaves open is less than one part, and nothing where a part
// was sent ahead.
Task<Result<Unit>> read_items(Invocation& in, Import& import) {
  // An item that is too large is still read, for its identity; what is beyond any item's limit is
  // skipped unread.
  json::ItemReader reader(json::kMaxRawItemBytes);
  Arena& data = in.arena();
  uint64_t read_bytes = 0;
  bool reserved = false;
  Reply chunk;
  while (true) {
    Arena::Mark before = data.mark();
    json::Event event = reader.next(data);
    if (event.kind == json::Event::Kind::item) {
      import.set.add(event, data, before);
      if (import.set.items().size() > kMaxImportItems) co_return too_many();
      size_t open = import.set.items().size() - import.open_from;
      if (import.set.data_bytes() >= kImportPartBytes || open >= kImportPartItems) {
        CO_TRY([[maybe_unused]] Unit sent, co_await send_part_ahead(in, import, data));
      }
      continue;
    }
    if (event.kind == json::Event::Kind::syntax) co_return malformed(event.offset);
    if (event.kind == json::Event::Kind::end) break;
    uint64_t expected = import.order.announced_bytes.value_or(read_bytes);
    if (!reserved && expected > kLargeBodyBytes) {
      reserved = true;
      CO_TRY([[maybe_unused]] Reply memory,
             co_await perform_one(in, ReserveMemory{kLargeImportMemory}));
    }
    CO_TRY(chunk, co_await perform_one(in, ReadBody{}));
    read_bytes += chunk.bytes.size();
    if (read_bytes > kMaxImportBytes) co_return too_large(kMaxImportBytes);
    if (chunk.bytes.empty()) {
      reader.finish();
    } else {
      reader.feed(chunk.bytes);
    }
  }
  if (!reader.problems().empty()) co_return shape_error(reader.problems());
  import.set.finish_hashes();
  // Where data was sent ahead, the last of it goes, too: the last batch then has room for all
  // identities.
  if (!import.sent.empty()) {
    CO_TRY([[maybe_unused]] Unit sent, co_await send_part_ahead(in, import, data));
  }
  co_return Unit{};
}

// What the last batch writes, counted before it is sent.
struct Counts {
  size_t fresh = 0;
  size_t changed = 0;
  std::vector<int64_t> unused_data;  // sent ahead for items that a later one superseded
};

Counts count(Import& import, const std::vector<const Part*>& parts) {
  Counts counts;
  for (const Part* part : parts) {
    for (size_t i = 0; i < part->changed.size(); ++i) {
      switch (import.set.items()[part->changed[i]].state) {
        case Item::State::fresh:
          ++counts.fresh;
          break;
        case Item::State::changed:
          ++counts.changed;
          break;
        default:
          counts.unused_data.push_back(part->first_data_id + static_cast<int64_t>(i));
      }
    }
  }
  return counts;
}

struct FirstIds {
  int64_t data = 0;
  int64_t property = 0;
  int64_t snapshot = 0;
};

Task<Result<FirstIds>> reserve_ids(Invocation& in, size_t data, size_t properties,
                                   size_t snapshots) {
  std::vector<Statement> statements;
  statements.push_back(store::ids_reserved("property_data", static_cast<int64_t>(data)));
  statements.push_back(store::ids_reserved("source_properties", static_cast<int64_t>(properties)));
  statements.push_back(store::ids_reserved("source_snapshots", static_cast<int64_t>(snapshots)));
  CO_TRY(std::vector<store::Rows> rows, co_await store::batch(in, std::move(statements)));
  co_return FirstIds{store::only_integer(std::move(rows[0])),
                     store::only_integer(std::move(rows[1])),
                     store::only_integer(std::move(rows[2]))};
}

// Snapshots and rows of one part; the bytes of the packs that they name. Items whose data ids
// follow each other share a pack.
size_t append_rows(std::vector<Statement>& batch, Import& import, const Part& part, FirstIds& ids,
                   const std::string& now) {
  const ImportOrder& order = import.order;
  store::IdentityPack rows;
  size_t pack_bytes = 0;
  int64_t run_start = 0;
  int64_t changed = 0;
  auto flush = [&](size_t next) {
    if (auto taken = static_cast<int64_t>(rows.items()); taken > 0) {
      Pack pack = rows.finish();
      pack_bytes += pack->size();
      // Snapshots first: they copy what the rows are about to lose.
      if (changed > 0) {
        batch.push_back(
            store::import_snapshots(order.tenant, order.source, ids.snapshot, now, pack));
      }
      batch.push_back(store::import_rows(order.tenant, order.source, ids.property,
                                         part.first_data_id + run_start, order.source_revision + 1,
                                         now, pack));
      ids.property += taken;
      ids.snapshot += std::exchange(changed, 0);
    }
    run_start = static_cast<int64_t>(next);
  };
  for (size_t i = 0; i < part.changed.size(); ++i) {
    const Item& item = import.set.items()[part.changed[i]];
    if (item.state == Item::State::superseded) {
      flush(i + 1);
      continue;
    }
    rows.add(item.hash, item.external_id);
    if (item.state == Item::State::changed) ++changed;
    if (rows.full()) flush(i + 1);
  }
  flush(part.changed.size());
  return pack_bytes;
}

ImportOutcome outcome_of(const Import& import, const Counts& counts) {
  ImportOutcome outcome;
  outcome.total = import.set.total();
  outcome.created = counts.fresh;
  outcome.updated = counts.changed;
  outcome.failed = import.set.failed();
  outcome.skipped = outcome.total - outcome.created - outcome.updated - outcome.failed;
  outcome.errors = import.set.errors();
  return outcome;
}

Statement log_of(const Import& import, const ImportOutcome& outcome, Time now) {
  return store::log_added(
      import.order.tenant, import.sync_id, "import", std::string(outcome.status()),
      import.order.source, std::nullopt, static_cast<int64_t>(outcome.total),
      static_cast<int64_t>(outcome.created + outcome.updated), static_cast<int64_t>(outcome.failed),
      outcome.stats(), import.started_at, to_text(now));
}

// One attempt to classify what is open and to write it all. Errors: guard where the source moved
// on.
Task<Result<ImportOutcome>> commit(Invocation& in, Import& import) {
  CO_TRY(Part last, co_await classify(in, import));
  std::vector<const Part*> parts;
  for (const Part& part : import.sent) parts.push_back(&part);
  parts.push_back(&last);
  Counts counts = count(import, parts);
  ImportOutcome outcome = outcome_of(import, counts);
  std::string now = to_text(in.now());
  std::vector<Statement> batch;
  batch.push_back(store::guard_side(Side::source, import.order.tenant, import.order.source.value,
                                    import.order.source_revision));
  batch.push_back(log_of(import, outcome, in.now()));
  if (counts.fresh + counts.changed > 0) {
    CO_TRY(FirstIds ids, co_await reserve_ids(in, last.changed.size(),
                                              counts.fresh + counts.changed, counts.changed));
    last.first_data_id = ids.data;
    batch.push_back(store::source_bumped(import.order.tenant, import.order.source,
                                         static_cast<int64_t>(counts.fresh)));
    append_data(batch, import, import.set, last);
    size_t pack_bytes = 0;
    for (const Part* part : parts) pack_bytes += append_rows(batch, import, *part, ids, now);
    if (pack_bytes > kMaxIdentityPackBytes) co_return too_many();
  }
  if (!counts.unused_data.empty()) {
    batch.push_back(
        store::sent_data_dropped(import.order.tenant, store::pack_ids(counts.unused_data)));
  }
  Result<std::vector<store::Rows>> written = co_await store::batch(in, std::move(batch));
  if (!written.ok()) {
    CO_TRY([[maybe_unused]] std::string committed,
           co_await settle_outcome(in, import.order.tenant, import.sync_id,
                                   std::move(written).error()));
  }
  co_return outcome;
}

// Best effort: what was sent ahead of an import that failed is of no use to anyone.
Task<Result<Unit>> discard_sent(Invocation& in, Import& import) {
  std::vector<Statement> statements;
  for (const Part& part : import.sent) {
    if (part.changed.empty()) continue;
    statements.push_back(store::sent_data_deleted(import.order.tenant, part.first_data_id,
                                                  static_cast<int64_t>(part.changed.size())));
  }
  if (statements.empty()) co_return Unit{};
  CO_TRY([[maybe_unused]] auto rows, co_await store::batch(in, std::move(statements)));
  co_return Unit{};
}

Task<Result<ImportOutcome>> run(Invocation& in, Import& import) {
  CO_TRY([[maybe_unused]] Unit read, co_await read_items(in, import));
  for (int attempt = 0;; ++attempt) {
    Result<ImportOutcome> outcome = co_await commit(in, import);
    // Data of unchanged items in parts that were sent ahead is gone: such an import cannot be
    // classified again.
    bool again = !outcome.ok() && store::lost_guard(outcome.error(), "source_changed") &&
                 import.sent.empty() && attempt < kMaxLostRaces;
    if (!again) co_return outcome;
    CO_TRY(store::Rows source,
           co_await store::query(in, store::side_by_id(Side::source, import.order.tenant,
                                                       import.order.source.value)));
    if (!source.next()) co_return not_found();
    import.order.source_revision = source.integer(7);
  }
}

}  // namespace

std::string ImportOutcome::stats() const {
  return "{\"created\":" + std::to_string(created) + ",\"updated\":" + std::to_string(updated) +
         ",\"skipped\":" + std::to_string(skipped) + ",\"failed\":" + std::to_string(failed) +
         ",\"removed\":0}";
}

Task<Result<ImportOutcome>> import_body(Invocation& in, ImportOrder order) {
  std::string random = in.random(sizeof(uint64_t));
  uint64_t seed;
  std::memcpy(&seed, random.data(), sizeof seed);
  std::string sync_id = make_sync_id(in);
  Import import{order, sync::ImportSet(order.id_field, seed), std::move(sync_id),
                to_text(in.now())};
  Result<ImportOutcome> outcome = co_await run(in, import);
  bool uncertain = !outcome.ok() && outcome.error().code == ErrorCode::unknown_outcome;
  if (!outcome.ok() && !uncertain) {
    // Failing to discard hides nothing from the client: the import has failed already.
    [[maybe_unused]] Result<Unit> discarded = co_await discard_sent(in, import);
  }
  co_return outcome;
}

}  // namespace sm::flow
