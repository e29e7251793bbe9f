// Every fault at every effect of every flow, one at a time: nothing is half done, and a client that
// tries again gets what it asked for.
#pragma once

#include <string>

#include "tests/simulation/coverage.h"
#include "tests/simulation/invariants.h"
#include "tests/simulation/sqlite_store.h"
#include "tests/simulation/world.h"

namespace simulation {

struct SweepFound {
  size_t flows = 0;
  size_t effects = 0;
  size_t trials = 0;
  std::string failure = {};  // empty where all went well
};

// `only` names one flow, or none for all of them.
SweepFound sweep_faults(SqliteStore& store, Invariants& invariants, const std::string& only,
                        Telling telling);

}  // namespace simulation
