// Imports, and the removal of one source property.
#include <set>

#include "tests/simulation/model.h"

namespace simulation {
namespace {

// Identities are strings, or numbers by their canonical text; null and missing ones are passed
// over. Anything else is no identity.
std::optional<std::string> identity_of(const Json& item, const Json& config) {
  if (!item.is_object()) return std::nullopt;
  Json found;
  auto id_field = config.find("id_field");
  if (id_field != config.end()) {
    Json::json_pointer pointer(id_field->get<std::string>());
    if (item.contains(pointer)) found = item.at(pointer);
  }
  for (const char* name : {"external_id", "id"}) {
    if (found.is_null() && item.contains(name)) found = item[name];
  }
  if (found.is_number()) return canonical(found);
  constexpr size_t kMostBytes = 512;
  if (!found.is_string()) return std::nullopt;
  auto text = found.get<std::string>();
  return text.empty() || text.size() > kMostBytes ? std::nullopt : std::optional(text);
}

// What a list of items comes to, before any of it is looked for in the store.
struct Sorted {
  std::map<std::string, Data> items;
  std::set<std::string> present;  // failed ones included
  bool nameless = false;
  std::map<size_t, Json> errors;
};

Sorted sort_items(const Import& import, const Json& config, const Applying& at) {
  Sorted sorted;
  std::map<std::string, size_t> last;
  auto fail = [&](size_t index, const Json& external_id) {
    sorted.errors[index] = {{"index", index}, {"external_id", external_id}};
  };
  for (size_t i = 0; i < import.items.size(); ++i) {
    const Item& item = import.items[i];
    auto external_id = identity_of(item.value, config);
    if (!external_id) sorted.nameless = true;
    if (!external_id || item.broken) {
      at.coverage->add(Reached::import_failed_item);
      fail(i, external_id ? Json(*external_id) : Json());
      if (external_id) sorted.present.insert(*external_id);
      continue;
    }
    auto earlier = last.find(*external_id);
    if (earlier != last.end()) {
      at.coverage->add(Reached::import_duplicate);
      fail(earlier->second, *external_id);
    }
    last[*external_id] = i;
    sorted.items[*external_id] = at.pool->intern(item.value);
    sorted.present.insert(*external_id);
  }
  return sorted;
}

struct ImportStats {
  int64_t created = 0;
  int64_t updated = 0;
  int64_t skipped = 0;
  int64_t failed = 0;
  int64_t removed = 0;

  Json json() const {
    return {{"created", created},
            {"updated", updated},
            {"skipped", skipped},
            {"failed", failed},
            {"removed", removed}};
  }
};

void take_item(Source& source, const std::string& external_id, Data data, const Applying& at,
               ImportStats& stats) {
  auto known = source.rows.find(external_id);
  if (known == source.rows.end()) {
    source.rows[external_id] = {0, data, 1, 0, at.now, at.now};
    ++stats.created;
    at.coverage->add(Reached::import_created);
    return;
  }
  SourceRow& row = known->second;
  bool returns = !row.live();
  bool differs = row.data != data;
  if (!returns && !differs) {
    ++stats.skipped;
    at.coverage->add(Reached::import_skipped);
    return;
  }
  at.coverage->add(!returns  ? Reached::import_updated
                   : differs ? Reached::import_returned_changed
                             : Reached::import_returned_same);
  if (differs) {
    row.snapshots.push_back({row.version, row.data, "import", at.now});
    row.data = data;
    ++row.version;
  }
  row.removed_at = 0;
  row.updated_at = at.now;
  ++stats.updated;
}

std::vector<SourceRow*> missing_rows(Source& source, const Sorted& sorted) {
  std::vector<SourceRow*> missing;
  for (auto& [external_id, row] : source.rows) {
    if (row.live() && !sorted.present.contains(external_id)) missing.push_back(&row);
  }
  return missing;
}

bool too_many(const Source& source, size_t removed, bool is_empty) {
  constexpr double kDefaultRatio = 0.5;
  constexpr int64_t kFewest = 10;
  if (removed == 0) return false;
  double share = static_cast<double>(removed) / static_cast<double>(source.live());
  auto ratio = source.config.find("max_removed_ratio");
  if (ratio != source.config.end()) return share > ratio->get<double>();
  return is_empty || (source.live() >= kFewest && share > kDefaultRatio);
}

// Where every item fails, nothing is done.
Outcome all_failed(Tenant& tenant, const Import& import, int64_t total, const Applying& at) {
  ImportStats stats;
  stats.failed = total;
  tenant.logs.push_back(
      {"import", "failed", import.source, 0, total, 0, total, stats.json(), true, at.now});
  Outcome outcome = refused(422);
  outcome.writes = true;
  return outcome;
}

}  // namespace

Outcome apply_import(Tenant& tenant, const Import& import, const Applying& at) {
  Source* source = tenant.source(import.source);
  if (source == nullptr) return refused(404);
  Sorted sorted = sort_items(import, source->config, at);
  auto total = static_cast<int64_t>(import.items.size());
  if (total > 0 && sorted.errors.size() == import.items.size()) {
    at.coverage->add(Reached::import_all_failed);
    return all_failed(tenant, import, total, at);
  }
  std::vector<SourceRow*> missing;
  bool removes = import.full && (import.force || !sorted.nameless);
  if (import.full && !removes) at.coverage->add(Reached::import_nothing_removed);
  if (removes) missing = missing_rows(*source, sorted);
  if (too_many(*source, missing.size(), import.items.empty())) {
    at.coverage->add(import.force ? Reached::import_forced : Reached::import_refused);
    if (!import.force) {
      tenant.logs.push_back(
          {"import", "failed", import.source, 0, total, 0, 0, nullptr, true, at.now});
      Outcome outcome = refused(409);
      outcome.writes = true;
      return outcome;
    }
  }
  ImportStats stats;
  stats.failed = static_cast<int64_t>(sorted.errors.size());
  for (SourceRow* row : missing) row->removed_at = row->updated_at = at.now;
  stats.removed = static_cast<int64_t>(missing.size());
  at.coverage->add(Reached::import_removed, missing.size());
  for (const auto& [external_id, data] : sorted.items) {
    take_item(*source, external_id, data, at, stats);
  }
  const char* status = stats.failed == 0 ? "success" : "partial";
  tenant.logs.push_back({"import", status, import.source, 0, total,
                         stats.created + stats.updated + stats.removed, stats.failed, stats.json(),
                         stats.failed > 0, at.now});
  Outcome outcome;
  outcome.writes = true;
  outcome.body = {{"status", status}, {"stats", stats.json()}, {"errors", Json::array()}};
  for (auto& [index, error] : sorted.errors) {
    error["detail"] = {{"$text", {""}}};
    outcome.body["errors"].push_back(error);
  }
  return outcome;
}

Outcome apply_removal(Tenant& tenant, const RemoveProperty& gone, const Applying& at) {
  auto* found = tenant.source_row(gone.source, gone.property);
  if (found == nullptr) return refused(404);
  auto& [external_id, row] = *found;
  Outcome outcome;
  outcome.writes = row.live();
  if (outcome.writes) {
    row.removed_at = row.updated_at = at.now;
    tenant.logs.push_back({"manual", "success", gone.source, 0, 1, 1, 0, nullptr, false, at.now});
    at.coverage->add(Reached::property_removed);
  }
  outcome.body = show(*tenant.source(gone.source), external_id, row);
  return outcome;
}

}  // namespace simulation
