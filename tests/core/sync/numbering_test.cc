#include "core/sync/numbering.h"

#include <gtest/gtest.h>

#include "core/base/limits.h"

namespace sm::sync {
namespace {

TEST(Numbering, RowsThatLieCloseTogetherAreNumberedByTheirDistance) {
  Numbers numbers = number_rows(10, {101, 110});
  EXPECT_EQ(numbers.how, Numbering::dense);
  EXPECT_EQ(numbers.first_id, 101);
  EXPECT_EQ(numbers.reserved, 10);
  EXPECT_EQ(number_rows(1, {7, 7}).reserved, 1);
}

TEST(Numbering, OthersAreCounted) {
  Numbers numbers = number_rows(10, {101, 9'000'000});
  EXPECT_EQ(numbers.how, Numbering::ranked);
  EXPECT_EQ(numbers.reserved, 10);
  EXPECT_EQ(number_rows(0, {5, 5}).how, Numbering::ranked);
  EXPECT_EQ(number_rows(3, {}).how, Numbering::ranked) << "a range of no rows";
}

TEST(Numbering, IdsStayInProportionToRows) {
  for (int64_t rows = 1; rows < 50; ++rows) {
    for (int64_t last = rows; last < 500; ++last) {
      EXPECT_LE(number_rows(rows, {1, last}).reserved, kMostIdsPerRow * rows);
      EXPECT_GE(number_rows(rows, {1, last}).reserved, rows);
    }
  }
}

}  // namespace
}  // namespace sm::sync
