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

// Empty where all went well. The store is afterwards as it was before.
std::string run_history(SqliteStore& store, Invariants& invariants, uint64_t seed, Telling telling,
                        Coverage& coverage);

}  // namespace simulation
