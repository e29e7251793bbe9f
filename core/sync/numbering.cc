#include "core/sync/numbering.h"

#include "core/base/limits.h"

namespace sm::sync {

Numbers number_rows(int64_t rows, IdRange range) {
  if (range.first) {
    int64_t spread = range.last - *range.first + 1;
    if (spread <= kMostIdsPerRow * rows) return {Numbering::dense, *range.first, spread};
  }
  return {Numbering::ranked, 0, rows};
}

}  // namespace sm::sync
