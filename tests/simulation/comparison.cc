#include "tests/simulation/comparison.h"

#include <sstream>

namespace simulation {
namespace {

// Sources or targets whose rows are yet to go: nobody sees them any more.
#define DELETED(connectors) "(SELECT id FROM " connectors " WHERE deleted_at IS NOT NULL)"

constexpr const char* kStatus[] = {"synced", "manual", "conflict", "removed"};

// What a stored warning is, by how it begins.
Warning warning_of(std::string_view text) {
  if (text.empty()) return Warning::none;
  if (text.starts_with("Source has changes but target has manual modifications")) {
    return Warning::conflict;
  }
  if (text.starts_with("Source property was removed but target has manual modifications")) {
    return Warning::removed;
  }
  return Warning::keep;
}

}  // namespace

std::string Comparison::run(Tenant& tenant) {
  compare_logs(tenant);
  compare_connectors(
      "source", tenant.sources,
      "SELECT id, name, type, config, created_at, updated_at, property_count FROM sources "
      "WHERE tenant_id = ?1 AND deleted_at IS NULL ORDER BY id");
  compare_connectors(
      "target", tenant.targets,
      "SELECT id, name, type, config, created_at, updated_at, property_count FROM targets "
      "WHERE tenant_id = ?1 AND deleted_at IS NULL ORDER BY id");
  if (difference_.empty()) compare_source_rows(tenant);
  if (difference_.empty()) compare_target_rows(tenant);
  if (difference_.empty()) {
    for (auto& [kind, ids] : learned_) used_[kind].merge(ids);
  }
  return difference_;
}

void Comparison::differ(const std::string& what) {
  if (difference_.empty()) difference_ = what;
}

template <typename T>
void Comparison::expect(const std::string& what, const T& expected, const T& found) {
  if (!difference_.empty() || expected == found) return;
  std::ostringstream text;
  text << what << ": expected " << expected << ", found " << found;
  differ(text.str());
}

void Comparison::expect_time(const std::string& what, Moment expected, std::string_view found) {
  if (!difference_.empty() || parse_moment(found) == expected) return;
  differ(what + ": expected " + (expected == 0 ? "null" : time_text(expected)) + ", found " +
         (found.empty() ? "null" : std::string(found)));
}

void Comparison::compare_count(const char* what, size_t expected, size_t found) {
  if (expected != found) {
    differ(std::string(what) + ": expected " + std::to_string(expected) + ", found " +
           std::to_string(found));
  }
}

bool Comparison::learn(const char* kind, int64_t& known, int64_t id) {
  if (known == 0) {
    bool fresh = !used_[kind].contains(id) && learned_[kind].insert(id).second;
    if (!fresh) differ(std::string(kind) + " " + std::to_string(id) + ": the id was used before");
    known = id;
  }
  expect(std::string(kind) + " id", known, id);
  return difference_.empty();
}

void Comparison::compare_logs(Tenant& tenant) {
  size_t known = 0;
  while (known < tenant.logs.size() && tenant.logs[known].settled) ++known;
  int64_t last = known == 0 ? 0 : tenant.logs[known - 1].id;
  auto count = static_cast<size_t>(
      store_.read_integer("SELECT count(*) FROM sync_logs WHERE tenant_id = ?1", {tenant_id_}));
  compare_count("log rows", tenant.logs.size(), count);
  store_.read(
      "SELECT id, sync_type, status, source_id, target_id, total_properties, updated_properties, "
      "failed_properties, stats, error_message, started_at, completed_at, sync_id, run_id FROM "
      "sync_logs "
      "WHERE tenant_id = ?1 AND id > ?2 ORDER BY id",
      {tenant_id_, last}, [&](sqlite3_stmt* row) {
        if (!difference_.empty() || known == tenant.logs.size()) return;
        LogRow& log = tenant.logs[known++];
        if (log.id != 0) expect("log row", log.id, integer_at(row, 0));
        log.id = integer_at(row, 0);
        log.run_id = text_at(row, 13);
        log.sync_id = text_at(row, 12);
        log.started_at = parse_moment(text_at(row, 10));
        std::string at =
            "log row " + std::to_string(log.id) + " " + std::string(text_at(row, 9)) + " ";
        expect(at + "sync_type", std::string_view(log.type), text_at(row, 1));
        expect(at + "status", std::string_view(log.status), text_at(row, 2));
        expect(at + "source_id", log.source_id, integer_at(row, 3));
        expect(at + "target_id", log.target_id, integer_at(row, 4));
        // What a refused import looked at is not said by api.md.
        std::string_view stats = text_at(row, 8);
        Json found = stats.empty() ? Json() : Json::parse(stats, nullptr, false);
        if (log.has_error) {
          log.total = integer_at(row, 5);
          log.failed = integer_at(row, 7);
          log.stats = found;
        }
        expect(at + "total_properties", log.total, integer_at(row, 5));
        expect(at + "updated_properties", log.updated, integer_at(row, 6));
        expect(at + "failed_properties", log.failed, integer_at(row, 7));
        expect(at + "stats", log.stats.dump(), found.dump());
        expect(at + "error_message", log.has_error, !text_at(row, 9).empty());
        expect_time(at + "completed_at", log.completed_at, text_at(row, 11));
        bool running = log.completed_at == 0;
        if (log.started_at == 0 || (!running && log.started_at > log.completed_at)) {
          differ(at + "started_at");
        }
        log.settled = !running;
      });
}

template <typename S>
void Comparison::compare_connectors(const char* kind, std::map<int64_t, S>& connectors,
                                    const char* sql) {
  size_t found = 0;
  store_.read(sql, {tenant_id_}, [&](sqlite3_stmt* row) {
    if (!difference_.empty()) return;
    ++found;
    int64_t id = integer_at(row, 0);
    std::string at = std::string(kind) + " " + std::to_string(id) + " ";
    auto fresh = connectors.find(0);
    if (!connectors.contains(id) && fresh != connectors.end()) {
      if (!learn(kind, fresh->second.id, id)) return;
      created_connector_ = id;
      auto node = connectors.extract(fresh);
      node.key() = id;
      connectors.insert(std::move(node));
    }
    auto known = connectors.find(id);
    if (known == connectors.end()) return differ(at + "exists");
    S& connector = known->second;
    expect(at + "name", std::string_view(connector.name), text_at(row, 1));
    expect(at + "type", std::string_view(connector.type), text_at(row, 2));
    std::string config = canonical(connector.config);
    expect(at + "config", std::string_view(config), text_at(row, 3));
    expect_time(at + "created_at", connector.created_at, text_at(row, 4));
    expect_time(at + "updated_at", connector.updated_at, text_at(row, 5));
    expect(at + "property_count", connector.live(), integer_at(row, 6));
  });
  compare_count(kind, connectors.size(), found);
}

void Comparison::compare_source_rows(Tenant& tenant) {
  size_t found = 0;
  size_t expected = 0;
  for (const auto& [id, source] : tenant.sources) expected += source.rows.size();
  std::map<int64_t, SourceRow*> by_id;
  store_.read(
      "SELECT source_id, external_id, id, hash, version, removed_at, created_at, updated_at "
      "FROM source_properties WHERE tenant_id = ?1 AND source_id NOT IN " DELETED(
          "sources") " ORDER BY source_id, external_id",
      {tenant_id_}, [&](sqlite3_stmt* row) {
        if (!difference_.empty()) return;
        ++found;
        Source* source = tenant.source(integer_at(row, 0));
        std::string external_id(text_at(row, 1));
        std::string at =
            "source " + std::to_string(integer_at(row, 0)) + " row " + external_id + " ";
        auto known =
            source == nullptr ? decltype(source->rows.end())() : source->rows.find(external_id);
        if (source == nullptr || known == source->rows.end()) return differ(at + "exists");
        SourceRow& s = known->second;
        if (!learn("source property", s.id, integer_at(row, 2))) return;
        by_id[s.id] = &s;
        expect(at + "hash", std::string_view(s.data->hash), text_at(row, 3));
        expect(at + "version", s.version, integer_at(row, 4));
        expect_time(at + "removed_at", s.removed_at, text_at(row, 5));
        expect_time(at + "created_at", s.created_at, text_at(row, 6));
        expect_time(at + "updated_at", s.updated_at, text_at(row, 7));
      });
  compare_count("source rows", expected, found);
  compare_snapshots("source snapshot",
                    "SELECT x.id, x.source_property_id, x.version, d.hash, x.reason, x.created_at "
                    "FROM source_snapshots x LEFT JOIN property_data d ON d.id = x.data_id "
                    "WHERE x.tenant_id = ?1 AND x.source_id NOT IN " DELETED(
                        "sources") " ORDER BY x.source_property_id, x.version, x.id",
                    by_id);
}

void Comparison::compare_target_rows(Tenant& tenant) {
  size_t found = 0;
  size_t expected = 0;
  for (const auto& [id, target] : tenant.targets) expected += target.rows.size();
  std::map<int64_t, TargetRow*> by_id;
  store_.read(
      "SELECT p.target_id, p.external_id, p.id, p.hash, p.version, "
      "CASE WHEN p.source_id NOT IN " DELETED("sources") " THEN p.source_id END, "
      "CASE WHEN p.source_id NOT IN " DELETED("sources") " THEN p.source_property_id END, b.hash, p.accepted, p.has_manual_changes, p.manual_changes_warning, "
      "CASE WHEN p.contested_by NOT IN " DELETED("sources") " THEN p.contested_by END, p.sync_status, p.last_synced, p.deleted_at, p.created_at, p.updated_at "
      "FROM target_properties p LEFT JOIN property_data b ON b.id = p.base_data_id "
      "WHERE p.tenant_id = ?1 AND p.target_id NOT IN " DELETED("targets")
      " ORDER BY p.target_id, p.external_id",
      {tenant_id_}, [&](sqlite3_stmt* row) {
        if (!difference_.empty()) return;
        ++found;
        Target* target = tenant.target(integer_at(row, 0));
        std::string external_id(text_at(row, 1));
        std::string at =
            "target " + std::to_string(integer_at(row, 0)) + " row " + external_id + " ";
        auto known =
            target == nullptr ? decltype(target->rows.end())() : target->rows.find(external_id);
        if (target == nullptr || known == target->rows.end()) return differ(at + "exists");
        TargetRow& t = known->second;
        if (!learn("target property", t.id, integer_at(row, 2))) return;
        by_id[t.id] = &t;
        expect_time(at + "deleted_at", t.hidden_at, text_at(row, 14));
        expect(at + "hash", std::string_view(t.data->hash), text_at(row, 3));
        expect(at + "version", t.version, integer_at(row, 4));
        expect(at + "source_id", t.source_id, integer_at(row, 5));
        expect(at + "source_property_id", t.source_property_id, integer_at(row, 6));
        expect(at + "base", std::string_view(t.base->hash), text_at(row, 7));
        expect(at + "accepted", int64_t{t.accepted}, integer_at(row, 8));
        expect(at + "has_manual_changes", int64_t{t.manual()}, integer_at(row, 9));
        expect(at + "warning", static_cast<int>(t.warning),
               static_cast<int>(warning_of(text_at(row, 10))));
        expect(at + "contested_by", t.contested_by, integer_at(row, 11));
        // What a hidden row says of itself nobody sees.
        if (!t.hidden()) {
          expect(at + "sync_status", std::string_view(kStatus[static_cast<size_t>(t.status)]),
                 text_at(row, 12));
        }
        expect_time(at + "last_synced", t.last_synced, text_at(row, 13));
        expect_time(at + "created_at", t.created_at, text_at(row, 15));
        expect_time(at + "updated_at", t.updated_at, text_at(row, 16));
      });
  compare_count("target rows", expected, found);
  compare_snapshots("target snapshot",
                    "SELECT x.id, x.target_property_id, x.version, d.hash, x.reason, x.created_at "
                    "FROM target_snapshots x LEFT JOIN property_data d ON d.id = x.data_id "
                    "WHERE x.tenant_id = ?1 AND x.target_id NOT IN " DELETED(
                        "targets") " ORDER BY x.target_property_id, x.version, x.id",
                    by_id);
}

template <typename Row>
void Comparison::compare_snapshots(const char* kind, const char* sql,
                                   const std::map<int64_t, Row*>& rows_by_id) {
  size_t found = 0;
  size_t expected = 0;
  for (const auto& [id, row] : rows_by_id) expected += row->snapshots.size();
  std::map<int64_t, size_t> places;
  store_.read(sql, {tenant_id_}, [&](sqlite3_stmt* row) {
    if (!difference_.empty()) return;
    ++found;
    int64_t property = integer_at(row, 1);
    std::string at = std::string(kind) + " of property " + std::to_string(property) + " ";
    auto known = rows_by_id.find(property);
    size_t place = places[property]++;
    if (known == rows_by_id.end() || place >= known->second->snapshots.size()) {
      return differ(at + "exists");
    }
    Snapshot& snapshot = known->second->snapshots[place];
    if (!learn(kind, snapshot.id, integer_at(row, 0))) return;
    expect(at + "version", snapshot.version, integer_at(row, 2));
    expect(at + "hash", std::string_view(snapshot.data->hash), text_at(row, 3));
    expect(at + "reason", std::string_view(snapshot.reason), text_at(row, 4));
    expect_time(at + "created_at", snapshot.created_at, text_at(row, 5));
  });
  compare_count(kind, expected, found);
}

}  // namespace simulation
