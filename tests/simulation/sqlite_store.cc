#include "tests/simulation/sqlite_store.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace simulation {
namespace {

[[noreturn]] void stop(const std::string& what) {
  std::fprintf(stderr, "simulation: %s\n", what.c_str());
  std::exit(2);
}

// The limits under which D1 runs its SQLite.
void set_limits(sqlite3* db) {
  sqlite3_limit(db, SQLITE_LIMIT_LENGTH, 2'000'000);
  sqlite3_limit(db, SQLITE_LIMIT_SQL_LENGTH, 100'000);
  sqlite3_limit(db, SQLITE_LIMIT_COLUMN, 100);
  sqlite3_limit(db, SQLITE_LIMIT_EXPR_DEPTH, 100);
  sqlite3_limit(db, SQLITE_LIMIT_COMPOUND_SELECT, 5);
  sqlite3_limit(db, SQLITE_LIMIT_FUNCTION_ARG, 32);
  sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 0);
  sqlite3_limit(db, SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 50);
  sqlite3_limit(db, SQLITE_LIMIT_VARIABLE_NUMBER, 100);
  sqlite3_limit(db, SQLITE_LIMIT_TRIGGER_DEPTH, 10);
  sqlite3_limit(db, SQLITE_LIMIT_WORKER_THREADS, 0);
}

std::string word_behind(std::string_view text, std::string_view marker) {
  size_t at = text.find(marker);
  if (at == std::string_view::npos) return {};
  std::string_view rest = text.substr(at + marker.size());
  auto is_word = [](char c) { return c == '_' || std::isalnum(static_cast<unsigned char>(c)); };
  return std::string(rest.begin(), std::find_if_not(rest.begin(), rest.end(), is_word));
}

std::string kind_of(std::string_view message) {
  std::string column = word_behind(message, "NOT NULL constraint failed: guard.");
  if (!column.empty()) return "guard:" + column;
  constexpr std::string_view kUnique = "UNIQUE constraint failed: ";
  std::string table = word_behind(message, kUnique);
  if (table.empty()) return "refused";
  size_t columns = message.find(kUnique) + kUnique.size() + table.size() + 1;
  std::string kind = "unique:" + table + ".";
  for (size_t at = columns; at < message.size(); ++at) {
    kind += message[at];
    std::string next = ", " + table + ".";
    if (message.substr(at + 1, next.size()) != next) continue;
    kind += ',';
    at += next.size();
  }
  return kind;
}

template <typename T>
void append_raw(std::string& cells, T value) {
  cells.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void append_cell(std::string& cells, sqlite3_stmt* row, int column) {
  constexpr int64_t kSafe = int64_t{1} << 53;
  switch (sqlite3_column_type(row, column)) {
    case SQLITE_NULL:
      cells += '\0';
      return;
    case SQLITE_INTEGER:
      cells += '\1';
      append_raw(cells, static_cast<int64_t>(sqlite3_column_int64(row, column)));
      return;
    case SQLITE_FLOAT: {
      // JavaScript has one kind of number, so a whole one arrives as an integer.
      double number = sqlite3_column_double(row, column);
      auto whole = static_cast<int64_t>(number);
      bool safe = static_cast<double>(whole) == number && std::abs(whole) < kSafe;
      cells += safe ? '\1' : '\2';
      safe ? append_raw(cells, whole) : append_raw(cells, number);
      return;
    }
    case SQLITE_TEXT: {
      std::string_view text = text_at(row, column);
      cells += '\3';
      append_raw(cells, static_cast<uint32_t>(text.size()));
      cells += text;
      return;
    }
    default:
      stop("a result holds a blob");
  }
}

void bind(sqlite3_stmt* prepared, int index, const Json& param) {
  int outcome;
  if (param.is_null()) {
    outcome = sqlite3_bind_null(prepared, index);
  } else if (param.is_number()) {
    outcome = sqlite3_bind_double(prepared, index, param.get<double>());
  } else {
    const auto& text = param.get_ref<const std::string&>();
    outcome = sqlite3_bind_text(prepared, index, text.data(), static_cast<int>(text.size()),
                                SQLITE_STATIC);
  }
  // What is beyond a limit would be NULL otherwise.
  if (outcome != SQLITE_OK) {
    stop(std::string(sqlite3_errstr(outcome)) + " as a parameter of " + sqlite3_sql(prepared));
  }
}

}  // namespace

SqliteStore::SqliteStore(const std::string& schema)
    : numbered_(sm::store::kSqliteStatements.statements.size()) {
  if (sqlite3_open(":memory:", &db_) != SQLITE_OK) stop(sqlite3_errmsg(db_));
  execute("PRAGMA foreign_keys = ON; PRAGMA journal_mode = MEMORY; PRAGMA temp_store = MEMORY");
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(schema))
    files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  for (const auto& file : files) {
    std::ostringstream text;
    text << std::ifstream(file).rdbuf();
    execute(text.str().c_str());
  }
  set_limits(db_);
  execute("BEGIN");
}

SqliteStore::~SqliteStore() {
  for (sqlite3_stmt* statement : numbered_) sqlite3_finalize(statement);
  for (auto& [sql, statement] : prepared_) sqlite3_finalize(statement);
  sqlite3_close(db_);
}

StoreOutcome SqliteStore::query(const std::vector<StoreStatement>& statements) {
  return run(statements);
}

StoreOutcome SqliteStore::batch(const std::vector<StoreStatement>& statements) {
  execute("SAVEPOINT batch");
  StoreOutcome outcome = run(statements);
  execute(outcome.error.empty() ? "RELEASE batch" : "ROLLBACK TO batch; RELEASE batch");
  return outcome;
}

StoreOutcome SqliteStore::run(const std::vector<StoreStatement>& statements) {
  StoreOutcome outcome;
  for (const StoreStatement& statement : statements) {
    StoreResult& result = outcome.results.emplace_back();
    if (run_one(statement, result)) continue;
    outcome.message = sqlite3_errmsg(db_);
    outcome.error = kind_of(outcome.message);
    outcome.message += " in " + std::string(statement_text(statement.number).text);
    return outcome;
  }
  return outcome;
}

bool SqliteStore::run_one(const StoreStatement& statement, StoreResult& result) {
  sqlite3_stmt* prepared = prepare(statement.number);
  if (prepared == nullptr) return false;
  for (size_t i = 0; i < statement.params.size(); ++i) {
    bind(prepared, static_cast<int>(i + 1), statement.params[i]);
  }
  int64_t before = sqlite3_total_changes64(db_);
  int columns = sqlite3_column_count(prepared);
  int outcome;
  while ((outcome = sqlite3_step(prepared)) == SQLITE_ROW) {
    ++result.rows;
    for (int i = 0; i < columns; ++i) append_cell(result.cells, prepared, i);
  }
  for (int i = 0; result.rows > 0 && i < columns; ++i) {
    result.columns.emplace_back(sqlite3_column_name(prepared, i));
    // D1 gives rows as objects: of two columns with one name only one would arrive.
    size_t same = static_cast<size_t>(
        std::count(result.columns.begin(), result.columns.end(), result.columns.back()));
    if (same > 1)
      stop("two columns are named alike in " + std::string(statement_text(statement.number).name));
  }
  result.changes = sqlite3_total_changes64(db_) - before;
  if (outcome == SQLITE_DONE) sqlite3_reset(prepared);
  return outcome == SQLITE_DONE;
}

sqlite3_stmt* SqliteStore::prepare(size_t number) {
  std::string_view sql = statement_text(number).text;
  sqlite3_stmt*& statement = numbered_[number];
  if (statement != nullptr) {
    sqlite3_reset(statement);
  } else if (sqlite3_prepare_v3(db_, sql.data(), static_cast<int>(sql.size()),
                                SQLITE_PREPARE_PERSISTENT, &statement, nullptr) != SQLITE_OK) {
    return nullptr;
  }
  return statement;
}

sqlite3_stmt* SqliteStore::prepare(std::string_view sql) {
  auto known = prepared_.find(sql);
  if (known != prepared_.end()) {
    sqlite3_reset(known->second);
    return known->second;
  }
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v3(db_, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT,
                         &statement, nullptr) != SQLITE_OK) {
    return nullptr;
  }
  prepared_.emplace(sql, statement);
  return statement;
}

void SqliteStore::read(const char* sql, std::initializer_list<int64_t> params,
                       const std::function<void(sqlite3_stmt*)>& row) {
  sqlite3_stmt* prepared = prepare(sql);
  if (prepared == nullptr) stop(std::string(sqlite3_errmsg(db_)) + " in " + sql);
  int index = 0;
  for (int64_t param : params) sqlite3_bind_int64(prepared, ++index, param);
  int outcome;
  while ((outcome = sqlite3_step(prepared)) == SQLITE_ROW) row(prepared);
  if (outcome != SQLITE_DONE) stop(std::string(sqlite3_errmsg(db_)) + " in " + sql);
  sqlite3_reset(prepared);
}

int64_t SqliteStore::read_integer(const char* sql, std::initializer_list<int64_t> params) {
  int64_t value = 0;
  read(sql, params, [&](sqlite3_stmt* row) { value = integer_at(row, 0); });
  return value;
}

void SqliteStore::execute(const char* sql) {
  char* message = nullptr;
  if (sqlite3_exec(db_, sql, nullptr, nullptr, &message) != SQLITE_OK) {
    stop(std::string(message) + " in " + sql);
  }
}

const sm::store::StatementText& statement_text(size_t number) {
  const auto& statements = sm::store::kSqliteStatements.statements;
  if (number >= statements.size()) stop("a step names a statement that there is not");
  return statements[number];
}

std::string_view text_at(sqlite3_stmt* row, int column) {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(row, column));
  if (text == nullptr) return {};
  return {text, static_cast<size_t>(sqlite3_column_bytes(row, column))};
}

int64_t integer_at(sqlite3_stmt* row, int column) { return sqlite3_column_int64(row, column); }

}  // namespace simulation
