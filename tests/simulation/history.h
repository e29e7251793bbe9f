// One random history: a few tenants, a few clients whose effects interleave, now and then a fault
// and a client that tries again; all of it made from one seed.
#pragma once

#include <cstdint>
#include <string>

#include "tests/simulation/coverage.h"
#include "tests/simulation/invariants.h"
#include "tests/simulation/sqlite_store.h"
#include "tests/simulation/world.h"

namespace simulation {

struct HistoryOrder {
  uint64_t seed;
  // How many. Where none are given, some dozens of all kinds; else a history whose few properties
  // live long, in several sources of one target.
  uint64_t operations = 0;
  Telling telling = Telling::nothing;
};

// Empty where all went well. The store is afterwards as it was before.
std::string run_history(SqliteStore& store, Invariants& invariants, const HistoryOrder& order,
                        Coverage& coverage);

}  // namespace simulation
