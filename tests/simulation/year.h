// Many tenants over a year, in turns: what no short history of two tenants can show. Between two
// imports of one tenant all others take ids, so whatever takes them by distance takes more each
// time. The statements are the real ones, nothing is compared with a model, and a year has as many
// days as it takes to see such a growth.
#pragma once

#include <string>

#include "tests/simulation/sqlite_store.h"

namespace simulation {

// Empty where the ids of every kind stay in proportion to the rows made, else what went wrong.
std::string run_year(SqliteStore& store);

}  // namespace simulation
