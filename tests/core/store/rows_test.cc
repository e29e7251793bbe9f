#include "core/store/rows.h"

#include <gtest/gtest.h>

#include <cstring>

#include "core/store/store.h"

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

// As the store gives them for a statement. Owned by the rows alone: what they give needs nothing
// else.
Rows rows_for(const Statement& statement, size_t columns, size_t rows, std::string cells) {
  RawResult result;
  result.statement = statement.number;
  result.owner = std::make_shared<const std::string>(std::move(cells));
  result.cells = *result.owner;
  result.columns = columns;
  result.rows = rows;
  return Rows(std::move(result));
}

TEST(Rows, ARowHasTheColumnsOfItsQueryByName) {
  std::string first = text_cell("") + integer_cell(7) + text_cell("k");
  std::string second = text_cell("grün € 😀") + real_cell(8.0) + text_cell("k");
  Rows rows = rows_for(due_slots("", "", {}, "", 0), 3, 2, first + second);
  EXPECT_EQ(rows.size(), 2u);
  DueSlotsRow row;
  ASSERT_TRUE(rows.next(row));
  EXPECT_EQ(row.tenant_id, TenantId{7});
  EXPECT_EQ(row.next_due, "");
  ASSERT_TRUE(rows.next(row));
  EXPECT_EQ(row.tenant_id, TenantId{8}) << "JavaScript numbers come as reals";
  EXPECT_EQ(row.next_due, "grün € 😀");
  EXPECT_FALSE(rows.next(row));
  EXPECT_EQ(row.tenant_id, TenantId{8}) << "behind the last row nothing is read";
}

// A row of keys: without a name and an end.
std::string key_cells(const std::string& id, const std::string& scope,
                      const std::string& revoked_at) {
  return id + null_cell() + scope + text_cell("t") + integer_cell(0) + null_cell() + revoked_at;
}

TEST(Rows, AColumnThatMayBeNullIsOptional) {
  std::string first = key_cells(integer_cell(1), text_cell("full"), null_cell());
  std::string second = key_cells(integer_cell(2), text_cell("read"), text_cell("c"));
  Rows rows = rows_for(keys_page({}, 0, 0), KeyRow::kColumns, 2, first + second);
  KeyRow row;
  ASSERT_TRUE(rows.next(row));
  EXPECT_EQ(row.revoked_at, std::nullopt);
  ASSERT_TRUE(rows.next(row));
  EXPECT_EQ(row.revoked_at, "c");
}

TEST(RowsDeathTest, TheRowOfAnotherQueryTraps) {
  KeyRow row;
  constexpr size_t kColumns = KeyRow::kColumns;
  std::string cells = key_cells(integer_cell(1), text_cell("full"), null_cell());
  Rows other = rows_for(connector_by_id(Connector::source, {}, 0), kColumns, 1, cells);
  EXPECT_DEATH((void)other.next(row), "check failed");
  Rows narrow = rows_for(key_by_id({}, 0), kColumns - 1, 1, cells);
  EXPECT_DEATH((void)narrow.next(row), "check failed");
  Rows null =
      rows_for(key_by_id({}, 0), kColumns, 1, key_cells(integer_cell(1), null_cell(), null_cell()));
  EXPECT_DEATH((void)null.next(row), "check failed") << "a column that may not be null";
  Rows text = rows_for(key_by_id({}, 0), kColumns, 1,
                       key_cells(text_cell("1"), text_cell("full"), null_cell()));
  EXPECT_DEATH((void)text.next(row), "check failed") << "a text in place of an integer";
}

TEST(Rows, EachCellIsReadByItsTag) {
  std::string nul("a\0b", 3);
  std::string bytes = integer_cell(-9007199254740991) + real_cell(42.0) + text_cell("") +
                      text_cell(nul) + null_cell() + null_cell() + integer_cell(INT64_MAX) +
                      text_cell("c");
  CellReader cells(bytes, 0);
  EXPECT_EQ(cells.integer(), -9007199254740991);
  EXPECT_EQ(cells.integer(), 42);
  EXPECT_EQ(cells.text(), "");
  EXPECT_EQ(cells.text(), nul);
  EXPECT_EQ(cells.maybe_text(), std::nullopt);
  EXPECT_EQ(cells.maybe_integer(), std::nullopt);
  EXPECT_EQ(cells.maybe_integer(), INT64_MAX);
  EXPECT_EQ(cells.maybe_text(), "c");
  EXPECT_EQ(cells.position(), bytes.size());
}

TEST(Rows, TextsStayGoodWhereTheRowsMove) {
  std::string text = "a text that is longer than any small string";
  Rows first = rows_for(edited_base({}, {}, {}), 1, 1, text_cell(text));
  EditedBaseRow row;
  ASSERT_TRUE(first.next(row));
  Rows second = std::move(first);
  EXPECT_EQ(row.hash, text);
  EXPECT_FALSE(second.next(row));
}

TEST(Rows, AHeldRowKeepsItsTexts) {
  std::string text = "a text that is longer than any small string";
  Held<EditedBaseRow> held(rows_for(edited_base({}, {}, {}), 1, 1, text_cell(text)));
  ASSERT_TRUE(held);
  Held<EditedBaseRow> moved = std::move(held);
  EXPECT_EQ(moved->hash, text);
  EXPECT_FALSE(Held<EditedBaseRow>(rows_for(edited_base({}, {}, {}), 0, 0, "")));
}

TEST(Rows, AWriteHasChangesAndNoRows) {
  RawResult result;
  result.changes = 12;
  Rows rows(std::move(result));
  EXPECT_EQ(rows.size(), 0u);
  EXPECT_EQ(rows.changes(), 12);
  KeyRow row;
  EXPECT_FALSE(rows.next(row));
  EXPECT_FALSE(Rows().next(row));
}

TEST(RowsDeathTest, CellsOfTheWrongTypeTrap) {
  std::string bytes = null_cell() + integer_cell(1) + text_cell("t") + real_cell(1e300);
  const size_t kNull = 0, kInteger = 1, kText = 10, kReal = 16;
  EXPECT_DEATH((void)CellReader(bytes, kNull).integer(), "check failed");
  EXPECT_DEATH((void)CellReader(bytes, kNull).text(), "check failed");
  EXPECT_DEATH((void)CellReader(bytes, kInteger).text(), "check failed");
  EXPECT_DEATH((void)CellReader(bytes, kInteger).maybe_text(), "check failed");
  EXPECT_DEATH((void)CellReader(bytes, kText).maybe_integer(), "check failed");
  EXPECT_DEATH((void)CellReader(bytes, kReal).integer(), "check failed") << "beyond 2^53";
  EXPECT_DEATH((void)CellReader(bytes, bytes.size()).integer(), "check failed");
}

TEST(RowsDeathTest, CellsThatAreCutOffOrUnknownTrap) {
  const std::string kCells[] = {"", "\3" + std::string(3, 'x'), text_cell("four").substr(0, 8),
                                "\3" + bytes_of(uint32_t{0xffffffff}), "\4"};
  for (const std::string& cells : kCells) {
    EXPECT_DEATH((void)CellReader(cells, 0).maybe_text(), "check failed") << cells.size();
  }
  EXPECT_DEATH((void)CellReader("\1" + std::string(7, 'x'), 0).integer(), "check failed");
}

}  // namespace
}  // namespace sm::store
