// What is true of every row of a target behind a sync, said without the decision table: where a row
// may be, not how it got there. A class that is skipped where it should not be is seen here, though
// model and core skip it alike.
#pragma once

#include <string>

#include "tests/simulation/model.h"

namespace simulation {

// Empty, or what a row is that it must not be behind this sync.
std::string unsettled(const Tenant& tenant, const Sync& sync);

}  // namespace simulation
