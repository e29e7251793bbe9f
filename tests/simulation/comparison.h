// Compares a tenant of the model with the tables of the store, row by row and member by member.
#pragma once

#include <map>
#include <set>
#include <string>

#include "tests/simulation/model.h"
#include "tests/simulation/sqlite_store.h"

namespace simulation {

// Ids that were given out, by kind: none is given twice.
using UsedIds = std::map<std::string, std::set<int64_t>>;

// Empty where both say the same, else the first difference. Rows of the model that have no id yet
// learn it from the store; an id that was used before is a difference.
class Comparison {
 public:
  Comparison(SqliteStore& store, int64_t tenant_id, UsedIds& used)
      : store_(store), tenant_id_(tenant_id), used_(used) {}

  std::string run(Tenant& tenant);
  // The connector that has just been created, 0 where there is none.
  int64_t created_connector() const { return created_connector_; }

 private:
  void compare_logs(Tenant& tenant);
  template <typename S>
  void compare_connectors(const char* kind, std::map<int64_t, S>& connectors, const char* sql);
  void compare_source_rows(Tenant& tenant);
  void compare_target_rows(Tenant& tenant);
  template <typename Row>
  void compare_snapshots(const char* kind, const char* sql,
                         const std::map<int64_t, Row*>& rows_by_id);
  bool learn(const char* kind, int64_t& known, int64_t id);
  void compare_count(const char* what, size_t expected, size_t found);
  void differ(const std::string& what);
  template <typename T>
  void expect(const std::string& what, const T& expected, const T& found);
  void expect_time(const std::string& what, Moment expected, std::string_view found);

  SqliteStore& store_;
  int64_t tenant_id_;
  UsedIds& used_;
  UsedIds learned_ = {};
  int64_t created_connector_ = 0;
  std::string difference_ = {};
};

}  // namespace simulation
