// Ids for the rows that one statement makes of others, a row of each. They are reserved in the same
// batch, before the statement, and must stay in proportion to the rows made: ids are one number
// line for all tenants, and a client reads them as doubles.
//
// Counting the rows costs a third of a statement that creates them. Where the rows that they are
// made of have ids that lie close together, as after a first import, the distance from the smallest
// of these does as well. Between two imports of one tenant all others take ids, so distances grow
// without bound, and then the rows are counted after all.
#pragma once

#include <cstdint>
#include <optional>

#include "core/base/ids.h"

namespace sm::sync {

// Of rows that are there: none where the first is missing.
struct IdRange {
  std::optional<int64_t> first = {};
  int64_t last = 0;
};

struct Numbers {
  Numbering how;
  int64_t first_id;  // of the rows that the new ones are made of
  int64_t reserved;  // how many ids the statement takes
};

// `rows` of those in the range become rows.
Numbers number_rows(int64_t rows, IdRange range);

}  // namespace sm::sync
