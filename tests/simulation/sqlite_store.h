// A store that performs the core's effects on SQLite in memory as D1 would: numbers are bound as
// doubles, a batch is one transaction, a result's columns go by name, the limits are D1's, and a
// failure becomes a kind by its text (host/worker/d1_errors.ts).
//
// All of a history happens inside one outer transaction: `Savepoint` brings back any earlier state,
// and the next history starts from an empty schema without preparing anything anew.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/store/statement_table.h"
#include "tests/simulation/value.h"

namespace simulation {

struct StoreStatement {
  size_t number = 0;
  // null, numbers and texts, as frames carry them; large texts stand in `sections` of the frame.
  std::vector<Json> params;
};

struct StoreResult {
  std::vector<std::string> columns;
  size_t rows = 0;
  int64_t changes = 0;
  std::string cells;  // as in wasm/README.md, "Resume frame"
};

// An empty `error` is success.
struct StoreOutcome {
  std::string error;
  std::string message;  // SQLite's own, for a person
  std::vector<StoreResult> results;
};

class SqliteStore {
 public:
  // `schema` is a folder of migrations.
  explicit SqliteStore(const std::string& schema);
  ~SqliteStore();
  SqliteStore(const SqliteStore&) = delete;
  SqliteStore& operator=(const SqliteStore&) = delete;

  StoreOutcome query(const std::vector<StoreStatement>& statements);
  // All or nothing.
  StoreOutcome batch(const std::vector<StoreStatement>& statements);

  // For checks: calls `row` with each row of a statement of the simulation's own.
  void read(const char* sql, std::initializer_list<int64_t> params,
            const std::function<void(sqlite3_stmt*)>& row);
  int64_t read_integer(const char* sql, std::initializer_list<int64_t> params = {});
  // For preparing a state by hand.
  void execute(const char* sql);

 private:
  sqlite3_stmt* prepare(std::string_view sql);
  sqlite3_stmt* prepare(size_t number);
  StoreOutcome run(const std::vector<StoreStatement>& statements);
  bool run_one(const StoreStatement& statement, StoreResult& result);

  sqlite3* db_ = nullptr;
  // The core's statements by number, and the simulation's own.
  std::vector<sqlite3_stmt*> numbered_;
  std::map<std::string, sqlite3_stmt*, std::less<>> prepared_;
};

// What happens to the store while it lives is taken back at its end.
class Savepoint {
 public:
  explicit Savepoint(SqliteStore& store) : store_(store) { store_.execute("SAVEPOINT held"); }
  ~Savepoint() { store_.execute("ROLLBACK TO held; RELEASE held"); }
  Savepoint(const Savepoint&) = delete;
  Savepoint& operator=(const Savepoint&) = delete;

  void rewind() { store_.execute("ROLLBACK TO held"); }

 private:
  SqliteStore& store_;
};

// The text and the name of one of the core's statements.
const sm::store::StatementText& statement_text(size_t number);

// A column's text, and its integer where null is 0.
std::string_view text_at(sqlite3_stmt* row, int column);
int64_t integer_at(sqlite3_stmt* row, int column);

}  // namespace simulation
