#include "tests/bench/native_store.h"

#include "core/store/statement_table.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>

namespace sm::bench {
namespace {

class Stopwatch {
 public:
  double ms() const {
    return std::chrono::duration<double, std::milli>(Clock::now() - started_).count();
  }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point started_ = Clock::now();
};

template <typename T>
void append_raw(std::string& cells, T value) {
  cells.append(reinterpret_cast<const char*>(&value), sizeof value);
}

// A cell: a tag and the value (wasm/README.md).
void append_cell(std::string& cells, sqlite3_stmt* statement, int column) {
  switch (sqlite3_column_type(statement, column)) {
    case SQLITE_NULL:
      cells += '\0';
      break;
    case SQLITE_INTEGER:
      cells += '\1';
      append_raw(cells, static_cast<int64_t>(sqlite3_column_int64(statement, column)));
      break;
    case SQLITE_FLOAT:
      cells += '\2';
      append_raw(cells, sqlite3_column_double(statement, column));
      break;
    default: {
      cells += '\3';
      const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, column));
      auto length = static_cast<uint32_t>(sqlite3_column_bytes(statement, column));
      append_raw(cells, length);
      cells.append(text, length);
    }
  }
}

// Texts stay where they are until the statement has run.
void bind(sqlite3_stmt* prepared, const NativeStatement& statement) {
  for (size_t i = 0; i < statement.params.size(); ++i) {
    int at = static_cast<int>(i + 1);
    const auto& param = statement.params[i];
    if (const auto* integer = std::get_if<int64_t>(&param)) {
      sqlite3_bind_int64(prepared, at, *integer);
    } else if (const auto* text = std::get_if<std::string_view>(&param)) {
      sqlite3_bind_text(prepared, at, text->data(), static_cast<int>(text->size()), SQLITE_STATIC);
    } else {
      sqlite3_bind_null(prepared, at);
    }
  }
}

}  // namespace

NativeStore::NativeStore(const std::string& path)
    : prepared_(store::kSqliteStatements.statements.size()) {
  if (sqlite3_open(path.c_str(), &db_) != SQLITE_OK) {
    std::fprintf(stderr, "floor: %s\n", sqlite3_errmsg(db_));
    std::exit(1);
  }
  execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON");
}

NativeStore::~NativeStore() {
  for (const Prepared& prepared : prepared_) sqlite3_finalize(prepared.statement);
  sqlite3_close(db_);
}

void NativeStore::execute(const std::string& sql) {
  if (sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK) return;
  std::fprintf(stderr, "floor: %s\n", sqlite3_errmsg(db_));
  std::exit(1);
}

std::vector<NativeResult> NativeStore::run(const std::vector<NativeStatement>& statements,
                                           bool atomic) {
  Stopwatch all;
  if (atomic) execute("BEGIN IMMEDIATE");
  std::vector<NativeResult> results(statements.size());
  for (size_t i = 0; i < statements.size(); ++i) {
    if (run_one(statements[i], results[i])) continue;
    if (atomic) execute("ROLLBACK");
    ms_ += all.ms();
    return {};
  }
  if (atomic) {
    Stopwatch commit;
    execute("COMMIT");
    commits_.ms += commit.ms();
    ++commits_.runs;
  }
  ms_ += all.ms();
  return results;
}

bool NativeStore::run_one(const NativeStatement& statement, NativeResult& result) {
  Prepared* prepared = prepare(statement.number);
  if (prepared == nullptr) return note_error();
  sqlite3_stmt* handle = prepared->statement;
  bind(handle, statement);
  Stopwatch watch;
  int columns = sqlite3_column_count(handle);
  for (int i = 0; i < columns; ++i) result.columns.emplace_back(sqlite3_column_name(handle, i));
  int outcome = SQLITE_ROW;
  while ((outcome = sqlite3_step(handle)) == SQLITE_ROW) {
    for (int i = 0; i < columns; ++i) append_cell(result.cells, handle, i);
    ++result.rows;
  }
  bool done = outcome == SQLITE_DONE || note_error();
  result.changes = sqlite3_changes(db_);
  sqlite3_reset(handle);
  prepared->cost.ms += watch.ms();
  ++prepared->cost.runs;
  return done;
}

NativeStore::Prepared* NativeStore::prepare(size_t number) {
  Prepared& prepared = prepared_.at(number);
  if (prepared.statement != nullptr) return &prepared;
  std::string_view sql = store::kSqliteStatements.statements[number].text;
  int outcome = sqlite3_prepare_v3(db_, sql.data(), static_cast<int>(sql.size()),
                                   SQLITE_PREPARE_PERSISTENT, &prepared.statement, nullptr);
  return outcome == SQLITE_OK ? &prepared : nullptr;
}

// Always false, for the caller to return.
bool NativeStore::note_error() {
  error_ = sqlite3_errmsg(db_);
  return false;
}

std::map<std::string, NativeStore::Cost> NativeStore::costs() const {
  std::map<std::string, Cost> costs = {{"COMMIT", commits_}};
  for (size_t i = 0; i < prepared_.size(); ++i) {
    costs.emplace(store::kSqliteStatements.statements[i].text, prepared_[i].cost);
  }
  return costs;
}

}  // namespace sm::bench
