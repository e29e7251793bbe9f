#include "tests/simulation/invariants.h"

#include "tests/simulation/sha256.h"

namespace simulation {
namespace {

struct Rule {
  const char* what;
  const char* violations;  // counts them
};

// Every pointer to a datum, with the tenant and the external id under which it lies.
#define SIMULATION_POINTERS                                                                  \
  "pointers(data_id, tenant_id, external_id, hash) AS ("                                     \
  "SELECT data_id, tenant_id, external_id, hash FROM source_properties "                     \
  "UNION ALL SELECT data_id, tenant_id, external_id, hash FROM target_properties "           \
  "UNION ALL SELECT base_data_id, tenant_id, external_id, NULL FROM target_properties "      \
  "UNION ALL SELECT delivered_data_id, tenant_id, external_id, NULL FROM target_properties " \
  "WHERE delivered_data_id IS NOT NULL "                                                     \
  "UNION ALL SELECT * FROM (SELECT x.data_id, x.tenant_id, p.external_id, NULL "             \
  "FROM source_snapshots x LEFT JOIN source_properties p "                                   \
  "ON p.source_id = x.source_id AND p.id = x.source_property_id "                            \
  "UNION ALL SELECT x.data_id, x.tenant_id, p.external_id, NULL "                            \
  "FROM target_snapshots x LEFT JOIN target_properties p "                                   \
  "ON p.target_id = x.target_id AND p.id = x.target_property_id "                            \
  "UNION ALL SELECT x.base_data_id, x.tenant_id, p.external_id, NULL "                       \
  "FROM target_snapshots x LEFT JOIN target_properties p "                                   \
  "ON p.target_id = x.target_id AND p.id = x.target_property_id)) "

constexpr Rule kRules[] = {
    {"a pointer has its datum, of the same tenant and hash",
     "WITH " SIMULATION_POINTERS
     "SELECT count(*) FROM pointers p LEFT JOIN property_data d ON d.id = p.data_id "
     "WHERE d.id IS NULL OR d.tenant_id <> p.tenant_id OR d.hash <> p.hash"},
    {"a snapshot has its property",
     "WITH " SIMULATION_POINTERS "SELECT count(*) FROM pointers WHERE external_id IS NULL"},
    {"all pointers to one datum lie under one external id of one tenant",
     "WITH " SIMULATION_POINTERS
     "SELECT count(*) FROM (SELECT data_id FROM pointers GROUP BY data_id "
     "HAVING count(DISTINCT tenant_id) > 1 OR count(DISTINCT external_id) > 1 "
     "OR count(*) > count(external_id))"},
    {"an orphan is listed under the external id of those that point to its datum",
     "WITH " SIMULATION_POINTERS
     "SELECT count(*) FROM orphans o JOIN pointers p ON p.data_id = o.data_id "
     "WHERE p.tenant_id <> o.tenant_id OR p.external_id <> o.external_id"},
    {"a property belongs to the tenant of its source",
     "SELECT count(*) FROM source_properties p LEFT JOIN sources s ON s.id = p.source_id "
     "WHERE s.id IS NULL OR s.tenant_id <> p.tenant_id"},
    {"a property belongs to the tenant of its target",
     "SELECT count(*) FROM target_properties p LEFT JOIN targets t ON t.id = p.target_id "
     "WHERE t.id IS NULL OR t.tenant_id <> p.tenant_id"},
    {"a target row's owner is a property of the same tenant and external id",
     "SELECT count(*) FROM target_properties p LEFT JOIN source_properties s "
     "ON s.source_id = p.source_id AND s.external_id = p.external_id "
     "WHERE (p.source_id IS NULL) <> (p.source_property_id IS NULL) OR (p.source_id IS NOT NULL "
     "AND (s.id IS NULL OR s.id <> p.source_property_id OR s.tenant_id <> p.tenant_id))"},
    {"a contester is a source of the same tenant, and not the owner",
     "SELECT count(*) FROM target_properties p LEFT JOIN sources s ON s.id = p.contested_by "
     "WHERE p.contested_by IS NOT NULL "
     "AND (s.id IS NULL OR s.tenant_id <> p.tenant_id OR p.contested_by IS p.source_id)"},
    {"a pair joins two of the same tenant, and has seen no revision that is to come",
     "SELECT count(*) FROM sync_pairs p LEFT JOIN sources s ON s.id = p.source_id "
     "LEFT JOIN targets t ON t.id = p.target_id WHERE s.id IS NULL OR t.id IS NULL "
     "OR s.tenant_id <> p.tenant_id OR t.tenant_id <> p.tenant_id "
     "OR p.source_revision > s.revision OR p.target_revision > t.revision"},
    {"no row is of a revision that is to come",
     "SELECT (SELECT count(*) FROM source_properties p JOIN sources s ON s.id = p.source_id "
     "WHERE p.revision > s.revision) + (SELECT count(*) FROM target_properties p "
     "JOIN targets t ON t.id = p.target_id WHERE p.revision > t.revision)"},
    {"a hidden row is removed, and carries no flag, warning, contest or acceptance",
     "SELECT count(*) FROM target_properties WHERE deleted_at IS NOT NULL AND (has_manual_changes "
     "OR accepted OR manual_changes_warning IS NOT NULL OR contested_by IS NOT NULL "
     "OR sync_status <> 'removed')"},
    {"what a large import has staged has its datum, of the same tenant and hash",
     "SELECT count(*) FROM staging g LEFT JOIN property_data d ON d.id = g.data_id "
     "LEFT JOIN imports i ON i.id = g.import_id WHERE i.id IS NULL OR i.tenant_id <> g.tenant_id "
     "OR (g.hash IS NOT NULL "
     "AND (d.id IS NULL OR d.tenant_id <> g.tenant_id OR d.hash <> g.hash))"},
    {"what a row says of itself fits together",
     "SELECT count(*) FROM target_properties WHERE deleted_at IS NULL AND ("
     "(sync_status = 'manual' AND NOT has_manual_changes) "
     "OR (sync_status = 'conflict' AND (NOT has_manual_changes OR manual_changes_warning IS NULL)) "
     "OR (sync_status IN ('synced', 'removed') AND (has_manual_changes "
     "OR manual_changes_warning IS NOT NULL)))"},
    {"the next id of a kind is above all that were given",
     "SELECT count(*) FROM counters c WHERE "
     "(c.name = 'property_data' AND c.next <= (SELECT max(id) FROM property_data)) "
     "OR (c.name = 'source_properties' AND c.next <= (SELECT max(id) FROM source_properties)) "
     "OR (c.name = 'target_properties' AND c.next <= (SELECT max(id) FROM target_properties)) "
     "OR (c.name = 'source_snapshots' AND c.next <= (SELECT max(id) FROM source_snapshots)) "
     "OR (c.name = 'target_snapshots' AND c.next <= (SELECT max(id) FROM target_snapshots))"},
    {"rows that one import creates have ids in the order of their external ids",
     "SELECT count(*) FROM source_properties a JOIN source_properties b "
     "ON b.source_id = a.source_id AND b.log_id = a.log_id WHERE a.version = 1 AND b.version = 1 "
     "AND a.external_id < b.external_id AND a.id > b.id"},
    {"rows of one import that one sync creates have ids in the order of their external ids",
     "SELECT count(*) FROM target_properties a JOIN target_properties b "
     "ON b.target_id = a.target_id AND b.created_log = a.created_log "
     "JOIN source_properties s ON s.source_id = a.source_id AND s.external_id = a.external_id "
     "JOIN source_properties o ON o.source_id = b.source_id AND o.external_id = b.external_id "
     "WHERE a.version = 1 AND b.version = 1 AND s.source_id = o.source_id "
     "AND s.version = 1 AND o.version = 1 AND s.log_id = o.log_id "
     "AND a.external_id < b.external_id AND a.id > b.id"},
    {"a sync_id stands in one log row",
     "SELECT count(*) - count(DISTINCT tenant_id || ' ' || sync_id) FROM sync_logs"},
    {"a tenant's data has so many bytes as its row says",
     "SELECT count(*) FROM tenants t WHERE data_bytes <> (SELECT coalesce(sum(octet_length(data)), "
     "0) FROM property_data d WHERE d.tenant_id = t.id)"},
    {"the guard stays empty", "SELECT count(*) FROM guard"},
    {"every datum is pointed to, staged by an import, or listed as an orphan of its tenant",
     "WITH " SIMULATION_POINTERS
     "SELECT count(*) FROM property_data d WHERE d.id NOT IN (SELECT data_id FROM pointers) "
     "AND NOT EXISTS (SELECT 1 FROM staging g WHERE g.data_id = d.id) "
     "AND NOT EXISTS (SELECT 1 FROM orphans o WHERE o.data_id = d.id AND o.tenant_id = "
     "d.tenant_id)"},
};

}  // namespace

std::string Invariants::check() {
  auto broken = [&](const Rule& rule) { return store_.read_integer(rule.violations) != 0; };
  for (const Rule& rule : kRules) {
    if (broken(rule)) return rule.what;
  }
  std::string wrong;
  store_.read("SELECT id, hash, data FROM property_data", {}, [&](sqlite3_stmt* row) {
    std::string both(text_at(row, 1));
    both += text_at(row, 2);
    bool fresh = hashed_.insert(std::move(both)).second;
    if (fresh && sha256_hex(text_at(row, 2)) != text_at(row, 1)) {
      wrong = "hash == sha256(data) of datum " + std::to_string(integer_at(row, 0));
    }
  });
  return wrong;
}

std::string Invariants::check_clean(int64_t tenant_id) {
  int64_t orphans =
      store_.read_integer("SELECT count(*) FROM orphans WHERE tenant_id = ?1", {tenant_id});
  return orphans == 0 ? check() : "no orphan is left after a clean-up";
}

}  // namespace simulation
