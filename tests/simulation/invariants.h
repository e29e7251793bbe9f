// What holds in every state of the store, whatever the model says (data-model.md).
#pragma once

#include <set>
#include <string>

#include "tests/simulation/sqlite_store.h"

namespace simulation {

class Invariants {
 public:
  explicit Invariants(SqliteStore& store) : store_(store) {}

  // Empty, or what is broken.
  std::string check();
  // After a clean-up without others at work: nothing waits to be cleaned.
  std::string check_clean(int64_t tenant_id);

 private:
  SqliteStore& store_;
  std::set<std::string> hashed_;  // hashes with their data that were found true
};

}  // namespace simulation
