// The floor: the product's import and sync, in one native process on a SQLite file, without HTTP,
// WebAssembly, host or D1.
//
// Same schema (schema/sqlite), same statements (schema/queries, through the functions that are
// generated from them), in the order in which core/flow sends them; same reader, canonical form and
// hash. What stands between this program's times and the product's is what hosts and platform cost.
//
//   floor BODY_NEW BODY_1_PERCENT BODY_ALL [ROUNDS]
//
// The bodies are files with imports of the same properties (generate.ts). Prints one JSON object:
// for each step of a round the milliseconds of every round. The database is a new file in TMPDIR,
// with WAL and synchronous=NORMAL, as in D1's workerd; each round works on a source and a target of
// its own. Any failure ends the program with 1.
#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "core/base/arena.h"
#include "core/base/sha256.h"
#include "core/json/cursor.h"
#include "core/json/item_reader.h"
#include "core/store/pack.h"
#include "core/sync/plan.h"
#include "store/queries.h"

namespace {

using sm::Param;
using sm::SourceId;
using sm::Statement;
using sm::TargetId;
using sm::TenantId;
namespace store = sm::store;

constexpr TenantId kTenant{1};
constexpr const char* kNow = "2026-01-15T10:30:00.000Z";
constexpr size_t kChunkBytes = 256 * 1024;

[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "floor: %s\n", what.c_str());
  std::exit(1);
}

// One result: its rows as integers where they are such, else as text.
struct Cell {
  int64_t integer = 0;
  std::string text;
};
using Row = std::vector<Cell>;

// A database file with its prepared statements. Statements are prepared once: D1 keeps them, too.
class Database {
 public:
  explicit Database(const std::string& path) {
    if (sqlite3_open(path.c_str(), &db_) != SQLITE_OK) fail(sqlite3_errmsg(db_));
    execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON");
  }
  ~Database() {
    for (auto& [sql, statement] : prepared_) sqlite3_finalize(statement);
    sqlite3_close(db_);
  }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  void execute(const std::string& sql) {
    if (sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
      fail(sqlite3_errmsg(db_));
  }

  std::vector<Row> run(const Statement& statement) {
    sqlite3_stmt* prepared = prepare(statement.sql);
    for (size_t i = 0; i < statement.params.size(); ++i) {
      bind(prepared, static_cast<int>(i + 1), statement.params[i]);
    }
    std::vector<Row> rows;
    int outcome;
    while ((outcome = sqlite3_step(prepared)) == SQLITE_ROW) rows.push_back(read_row(prepared));
    if (outcome != SQLITE_DONE)
      fail(std::string(sqlite3_errmsg(db_)) + " in " + std::string(statement.sql));
    sqlite3_reset(prepared);
    return rows;
  }

  std::vector<std::vector<Row>> batch(const std::vector<Statement>& statements) {
    std::vector<std::vector<Row>> results;
    execute("BEGIN IMMEDIATE");
    for (const Statement& statement : statements) results.push_back(run(statement));
    execute("COMMIT");
    return results;
  }

 private:
  sqlite3_stmt* prepare(std::string_view sql) {
    sqlite3_stmt*& prepared = prepared_[std::string(sql)];
    if (prepared == nullptr) {
      int length = static_cast<int>(sql.size());
      if (sqlite3_prepare_v3(db_, sql.data(), length, SQLITE_PREPARE_PERSISTENT, &prepared,
                             nullptr) != SQLITE_OK) {
        fail(std::string(sqlite3_errmsg(db_)) + " in " + std::string(sql));
      }
    }
    return prepared;
  }

  // Texts stay where they are until the statement has run.
  static void bind(sqlite3_stmt* prepared, int index, const Param& param) {
    if (const auto* integer = std::get_if<int64_t>(&param)) {
      sqlite3_bind_int64(prepared, index, *integer);
    } else if (const auto* text = std::get_if<std::string>(&param)) {
      bind_text(prepared, index, *text);
    } else if (const auto* pack = std::get_if<sm::Pack>(&param)) {
      bind_text(prepared, index, **pack);
    } else {
      sqlite3_bind_null(prepared, index);
    }
  }

  static void bind_text(sqlite3_stmt* prepared, int index, const std::string& text) {
    sqlite3_bind_text(prepared, index, text.data(), static_cast<int>(text.size()), SQLITE_STATIC);
  }

  static Row read_row(sqlite3_stmt* prepared) {
    Row row(static_cast<size_t>(sqlite3_column_count(prepared)));
    for (size_t i = 0; i < row.size(); ++i) {
      int column = static_cast<int>(i);
      if (sqlite3_column_type(prepared, column) == SQLITE_INTEGER) {
        row[i].integer = sqlite3_column_int64(prepared, column);
      } else if (const auto* text = sqlite3_column_text(prepared, column)) {
        row[i].text = reinterpret_cast<const char*>(text);
      }
    }
    return row;
  }

  sqlite3* db_ = nullptr;
  std::map<std::string, sqlite3_stmt*> prepared_;
};

int64_t reserve(Database& db, const char* name, size_t count) {
  return db.run(store::ids_reserved(name, static_cast<int64_t>(count))).at(0).at(0).integer;
}

struct Item {
  std::string external_id;
  std::string_view data;  // in the arena of the import
  sm::Sha256Digest hash;
};

std::vector<Item> read_items(std::string_view body, size_t expected, sm::Arena& arena) {
  using Kind = sm::json::Event::Kind;
  sm::json::ItemReader reader;
  sm::Sha256Lanes lanes;
  std::vector<Item> items;
  items.reserve(expected);  // digests stay where they are until the lanes are flushed
  for (size_t at = 0;;) {
    sm::json::Event event = reader.next(arena);
    if (event.kind == Kind::end) break;
    if (event.kind == Kind::syntax) fail("the body is not JSON");
    if (event.kind == Kind::need_more) {
      if (at == body.size()) {
        reader.finish();
      } else {
        reader.feed(body.substr(at, kChunkBytes));
        at = std::min(at + kChunkBytes, body.size());
      }
      continue;
    }
    auto id = sm::json::find_member(event.text, "external_id");
    if (!id || items.size() == expected) fail("the body has other items than it should");
    Item& item = items.emplace_back(Item{sm::json::unquote(*id), event.text, {}});
    lanes.push(item.data, &item.hash);
  }
  lanes.flush();
  return items;
}

// What differs from the store, by place in `items`, and which of that exists.
struct Differences {
  std::vector<size_t> places;
  std::vector<size_t> existing;
};

Differences find_differences(Database& db, SourceId source, const std::vector<Item>& items) {
  Differences found;
  store::IdentityPack pack;
  size_t first = 0;
  auto flush = [&](size_t next) {
    if (pack.items() > 0) {
      for (const Row& row : db.run(store::import_differences(kTenant, source, pack.finish()))) {
        size_t place = first + static_cast<size_t>(row[0].integer);
        found.places.push_back(place);
        if (row[1].integer != 0) found.existing.push_back(place);
      }
    }
    first = next;
  };
  for (size_t i = 0; i < items.size(); ++i) {
    pack.add(items[i].hash, items[i].external_id);
    if (pack.full()) flush(i + 1);
  }
  flush(items.size());
  return found;
}

// Snapshots before rows, so that they copy what the rows are about to lose.
void append_rows(std::vector<Statement>& batch, Database& db, SourceId source, int64_t revision,
                 int64_t first_data, const std::vector<Item>& items, const Differences& found) {
  store::IdentityPack pack;
  int64_t first = reserve(db, "source_snapshots", found.existing.size());
  auto add_snapshots = [&] {
    auto taken = static_cast<int64_t>(pack.items());
    if (taken > 0)
      batch.push_back(store::import_snapshots(kTenant, source, first, kNow, pack.finish()));
    first += taken;
  };
  for (size_t place : found.existing) {
    pack.add(items[place].hash, items[place].external_id);
    if (pack.full()) add_snapshots();
  }
  add_snapshots();
  first = reserve(db, "source_properties", found.places.size());
  auto add_rows = [&] {
    auto taken = static_cast<int64_t>(pack.items());
    if (taken > 0) {
      batch.push_back(
          store::import_rows(kTenant, source, first, first_data, revision, kNow, pack.finish()));
    }
    first += taken;
    first_data += taken;
  };
  for (size_t place : found.places) {
    pack.add(items[place].hash, items[place].external_id);
    if (pack.full()) add_rows();
  }
  add_rows();
}

Statement log_row(const char* type, SourceId source, std::optional<TargetId> target, size_t total,
                  size_t updated) {
  static int64_t number = 0;
  return store::log_added(kTenant, "floor-" + std::to_string(++number), type, "success", source,
                          target, static_cast<int64_t>(total), static_cast<int64_t>(updated), 0,
                          std::nullopt, kNow, kNow);
}

// The number of properties that were written.
size_t import_body(Database& db, SourceId source, std::string_view body, size_t count) {
  sm::Arena arena;
  std::vector<Item> items = read_items(body, count, arena);
  int64_t revision =
      db.run(store::side_by_id(sm::Side::source, kTenant, source.value)).at(0).at(7).integer;
  Differences found = find_differences(db, source, items);
  std::vector<Statement> batch;
  batch.push_back(store::guard_side(sm::Side::source, kTenant, source.value, revision));
  batch.push_back(log_row("import", source, std::nullopt, items.size(), found.places.size()));
  if (!found.places.empty()) {
    size_t fresh = found.places.size() - found.existing.size();
    batch.push_back(store::source_bumped(kTenant, source, static_cast<int64_t>(fresh)));
    int64_t first_data = reserve(db, "property_data", found.places.size());
    store::DataPacks packs;
    for (size_t i = 0; i < found.places.size(); ++i) {
      const Item& item = items[found.places[i]];
      packs.add(item.hash, i, item.data);
    }
    for (auto& [quote, pack] : packs.finish()) {
      batch.push_back(store::import_data(kTenant, first_data, quote, pack));
    }
    append_rows(batch, db, source, revision + 1, first_data, items, found);
  }
  db.batch(batch);
  return found.places.size();
}

struct Pair {
  SourceId source;
  TargetId target;
};

// The number of rows that were created or updated. Nobody edits here, so no other class has rows to
// write.
size_t sync_pair(Database& db, Pair pair) {
  auto [source, target] = pair;
  Row source_row = db.run(store::side_by_id(sm::Side::source, kTenant, source.value)).at(0);
  Row target_row = db.run(store::side_by_id(sm::Side::target, kTenant, target.value)).at(0);
  std::vector<Row> position = db.run(store::sync_position(kTenant, source, target));
  int64_t source_since = position.empty() ? 0 : position[0][0].integer;
  int64_t target_since = position.empty() ? 0 : position[0][1].integer;
  sm::Scope scope = position.empty() ? sm::Scope::all : sm::Scope::changed;
  auto planned = [&](auto statement, auto... given) {
    return statement(scope, kTenant, source, target, source_since, target_since, "skip",
                     std::string(sm::sync::kKeepWarning), std::string(sm::sync::kConflictWarning),
                     given...);
  };
  std::map<std::string, int64_t> rows;
  for (const Row& row : db.run(planned(store::sync_classes))) rows[row[0].text] = row[1].integer;
  int64_t created = rows["create"];
  int64_t updated = rows["update"];
  int64_t written = created + updated;
  if (written > source_row[4].integer / 10) scope = sm::Scope::all;
  int64_t first_row =
      created > 0 ? reserve(db, "target_properties", static_cast<size_t>(created)) : 0;
  int64_t first_snapshot =
      updated > 0 ? reserve(db, "target_snapshots", static_cast<size_t>(updated)) : 0;

  std::vector<Statement> batch;
  batch.push_back(
      store::guard_side(sm::Side::source, kTenant, source.value, source_row[7].integer));
  batch.push_back(
      store::guard_side(sm::Side::target, kTenant, target.value, target_row[7].integer));
  batch.push_back(log_row("sync", source, target, static_cast<size_t>(source_row[4].integer),
                          static_cast<size_t>(written)));
  if (written > 0) batch.push_back(store::target_bumped(kTenant, target, created));
  if (updated > 0) {
    batch.push_back(planned(store::sync_snapshots, first_snapshot, std::string(kNow)));
    batch.push_back(planned(store::sync_updated, std::string(kNow)));
  }
  if (created > 0) batch.push_back(planned(store::sync_created, first_row, std::string(kNow)));
  bool moved = position.empty() || source_since != source_row[7].integer ||
               target_since != target_row[7].integer;
  if (moved || written > 0) {
    batch.push_back(store::sync_positioned(kTenant, source, target, source_row[7].integer,
                                           target_row[7].integer + (written > 0 ? 1 : 0), "floor"));
  }
  db.batch(batch);
  return static_cast<size_t>(written);
}

Pair create_pair(Database& db) {
  SourceId source{reserve(db, "sources", 1)};
  TargetId target{reserve(db, "targets", 1)};
  db.run(store::side_added(sm::Side::source, kTenant, source.value, "Floor", "json", "{}", kNow));
  db.run(
      store::side_added(sm::Side::target, kTenant, target.value, "Floor", "internal", "{}", kNow));
  return {source, target};
}

void migrate(Database& db) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(SM_SCHEMA))
    files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  for (const auto& file : files) {
    std::ostringstream text;
    text << std::ifstream(file).rdbuf();
    db.execute(text.str());
  }
  db.run(store::tenant_added(kTenant, "Floor", kNow));
}

std::string read_file(const char* path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) fail(std::string("cannot read ") + path);
  return std::move(text).str();
}

size_t count_items(std::string_view body) {
  sm::Arena arena;
  sm::json::ItemReader reader;
  reader.feed(body);
  for (size_t count = 0;; arena.release_all()) {
    sm::json::Event event = reader.next(arena);
    if (event.kind == sm::json::Event::Kind::item) ++count;
    if (event.kind == sm::json::Event::Kind::need_more) reader.finish();
    if (event.kind == sm::json::Event::Kind::end) return count;
    if (event.kind == sm::json::Event::Kind::syntax) fail("a body is not JSON");
  }
}

// Times of a step, by round.
using Times = std::vector<std::pair<std::string, std::vector<double>>>;

template <typename F>
void measure(Times& times, const char* step, size_t expected, F work) {
  auto started = std::chrono::steady_clock::now();
  size_t written = work();
  std::chrono::duration<double, std::milli> taken = std::chrono::steady_clock::now() - started;
  if (written != expected) fail(std::string(step) + " wrote " + std::to_string(written));
  auto found =
      std::find_if(times.begin(), times.end(), [&](auto& entry) { return entry.first == step; });
  if (found == times.end()) found = times.insert(times.end(), {step, {}});
  found->second.push_back(taken.count());
}

void run_round(Database& db, const std::array<std::string, 3>& bodies, size_t count, Times& times) {
  Pair pair = create_pair(db);
  auto import = [&](const char* step, size_t body, size_t expected) {
    measure(times, step, expected,
            [&] { return import_body(db, pair.source, bodies[body], count); });
  };
  auto sync = [&](const char* step, size_t expected) {
    measure(times, step, expected, [&] { return sync_pair(db, pair); });
  };
  size_t few = (count + 99) / 100;
  import("import new", 0, count);
  import("import unchanged", 0, 0);
  sync("sync new", count);
  sync("sync unchanged", 0);
  import("import 1 % changed", 1, few);
  sync("sync 1 % changed", few);
  import("import all changed", 2, count);
  sync("sync all changed", count);
}

void print(size_t count, const Times& times) {
  std::printf("{\"count\":%zu,\"steps\":{", count);
  const char* comma = "";
  for (const auto& [step, all] : times) {
    std::printf("%s\"%s\":[", comma, step.c_str());
    for (size_t i = 0; i < all.size(); ++i) std::printf("%s%.3f", i == 0 ? "" : ",", all[i]);
    std::printf("]");
    comma = ",";
  }
  std::printf("}}\n");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) fail("usage: floor BODY_NEW BODY_1_PERCENT BODY_ALL [ROUNDS]");
  std::array<std::string, 3> bodies = {read_file(argv[1]), read_file(argv[2]), read_file(argv[3])};
  int rounds = argc > 4 ? std::atoi(argv[4]) : 5;
  size_t count = count_items(bodies[0]);
  std::string folder =
      (std::filesystem::temp_directory_path() / "sync-manager-floor-XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) fail("no temporary folder");
  Times times;
  {
    Database db(folder + "/floor.sqlite");
    migrate(db);
    for (int round = 0; round < rounds; ++round) run_round(db, bodies, count, times);
  }
  std::filesystem::remove_all(folder);
  print(count, times);
}
