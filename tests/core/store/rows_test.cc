#include "core/store/rows.h"

#include <gtest/gtest.h>

#include <cstring>

namespace sm::store {
namespace {

template <typename T>
std::string bytes_of(T value) {
  std::string bytes(sizeof value, '\0');
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}

std::string null_cell() { return std::string(1, '\0'); }
std::string integer_cell(int64_t value) { return "\1" + bytes_of(value); }
std::string real_cell(double value) { return "\2" + bytes_of(value); }
std::string text_cell(std::string_view text) {
  return "\3" + bytes_of(static_cast<uint32_t>(text.size())) + std::string(text);
}

// Owned by the rows alone: what they give must not outlive them, and needs nothing else.
Rows rows_of(size_t columns, size_t rows, std::string cells, int64_t changes = 0) {
  RawResult result;
  result.owner = std::make_shared<const std::string>(std::move(cells));
  result.cells = *result.owner;
  result.columns = columns;
  result.rows = rows;
  result.changes = changes;
  return Rows(std::move(result));
}

TEST(Rows, EachCellIsReadByItsTag) {
  std::string nul("a\0b", 3);
  Rows rows = rows_of(5, 2,
                      null_cell() + integer_cell(-9007199254740991) + real_cell(42.0) +
                          text_cell("") + text_cell("grün € 😀") + integer_cell(INT64_MAX) +
                          text_cell(nul) + null_cell() + null_cell() + integer_cell(0));
  EXPECT_EQ(rows.size(), 2u);
  ASSERT_TRUE(rows.next());
  EXPECT_EQ(rows.maybe_integer(0), std::nullopt);
  EXPECT_EQ(rows.maybe_text(0), std::nullopt);
  EXPECT_EQ(rows.integer(1), -9007199254740991);
  EXPECT_EQ(rows.integer(2), 42) << "JavaScript numbers come as reals";
  EXPECT_EQ(rows.text(3), "");
  EXPECT_EQ(rows.text(4), "grün € 😀");
  ASSERT_TRUE(rows.next());
  EXPECT_EQ(rows.integer(0), INT64_MAX);
  EXPECT_EQ(rows.text(1), nul);
  EXPECT_EQ(rows.maybe_text(2), std::nullopt);
  EXPECT_EQ(rows.maybe_integer(4), 0);
  EXPECT_FALSE(rows.next());
  EXPECT_FALSE(rows.next()) << "still behind the last row";
}

TEST(Rows, TextsStayGoodWhereTheRowsMove) {
  Rows first = rows_of(1, 1, text_cell("a text that is longer than any small string"));
  ASSERT_TRUE(first.next());
  std::string_view text = first.text(0);
  Rows second = std::move(first);
  EXPECT_EQ(second.text(0).data(), text.data());
  EXPECT_EQ(text, "a text that is longer than any small string");
}

TEST(Rows, AWriteHasChangesAndNoRows) {
  Rows rows = rows_of(0, 0, "", 12);
  EXPECT_EQ(rows.size(), 0u);
  EXPECT_EQ(rows.changes(), 12);
  EXPECT_FALSE(rows.next());
  EXPECT_FALSE(Rows().next());
}

TEST(RowsDeathTest, CellsOfTheWrongTypeTrap) {
  Rows rows = rows_of(3, 1, null_cell() + integer_cell(1) + text_cell("t"));
  ASSERT_TRUE(rows.next());
  EXPECT_DEATH((void)rows.integer(0), "check failed");
  EXPECT_DEATH((void)rows.text(0), "check failed");
  EXPECT_DEATH((void)rows.text(1), "check failed");
  EXPECT_DEATH((void)rows.maybe_text(1), "check failed");
  EXPECT_DEATH((void)rows.maybe_integer(2), "check failed");
  EXPECT_DEATH((void)rows.integer(3), "check failed");
}

TEST(RowsDeathTest, CellsThatAreCutOffOrUnknownTrap) {
  const std::string kCells[] = {"", "\1" + std::string(7, 'x'), text_cell("four").substr(0, 8),
                                "\3" + bytes_of(uint32_t{0xffffffff}), "\4"};
  for (const std::string& cells : kCells) {
    Rows rows = rows_of(1, 1, cells);
    EXPECT_DEATH((void)rows.next(), "check failed") << cells.size();
  }
}

TEST(RowsDeathTest, ReadingBeforeTheFirstRowTraps) {
  Rows rows = rows_of(1, 1, integer_cell(1));
  EXPECT_DEATH((void)rows.integer(0), "check failed");
}

}  // namespace
}  // namespace sm::store
