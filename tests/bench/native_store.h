// A SQLite file that runs the core's statements and times them: what D1 does, without D1.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace sm::bench {

struct NativeStatement {
  size_t number = 0;
  std::vector<std::variant<std::nullptr_t, int64_t, std::string_view>> params;
};

// As wasm/README.md describes a result.
struct NativeResult {
  std::vector<std::string> columns;
  std::string cells;
  int64_t rows = 0;
  int64_t changes = 0;
};

class NativeStore {
 public:
  // What one statement has cost so far.
  struct Cost {
    double ms = 0;
    size_t runs = 0;
  };

  explicit NativeStore(const std::string& path);
  ~NativeStore();
  NativeStore(const NativeStore&) = delete;
  NativeStore& operator=(const NativeStore&) = delete;

  // Several statements, separated by semicolons. A failure ends the program.
  void execute(const std::string& sql);

  // In one transaction where `atomic`. Empty where a statement failed and the transaction was
  // rolled back; `error` says why.
  std::vector<NativeResult> run(const std::vector<NativeStatement>& statements, bool atomic);
  const std::string& error() const { return error_; }

  // Milliseconds in all runs, commits included.
  double ms() const { return ms_; }
  // By the statements' texts.
  std::map<std::string, Cost> costs() const;

 private:
  struct Prepared {
    sqlite3_stmt* statement = nullptr;
    Cost cost;
  };

  bool run_one(const NativeStatement& statement, NativeResult& result);
  Prepared* prepare(size_t number);
  bool note_error();

  sqlite3* db_ = nullptr;
  // By number. Statements are prepared once: D1 keeps them, too.
  std::vector<Prepared> prepared_;
  std::string error_;
  Cost commits_;
  double ms_ = 0;
};

}  // namespace sm::bench
