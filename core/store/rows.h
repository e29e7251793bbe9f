// A statement's rows, read one after the other from the frame that brought them. A query that gives
// rows names their columns (schema/queries), and store/queries.h has a struct for each:
//
//   store::DueSlotsRow row;
//   while (rows.next(row)) use(row.tenant_id, row.next_due);
//
// Texts are views into the frame, which the Rows keep alive: they stay good, across a co_await too,
// as long as the Rows do.
#pragma once

#include <optional>
#include <string_view>

#include "core/base/check.h"
#include "core/base/effect.h"

namespace sm::store {

// Reads cells from the left to the right. A cell of another type traps: types are the schema's, and
// a test compares the queries' signatures with it.
class CellReader {
 public:
  CellReader(std::string_view cells, size_t position) : cells_(cells), position_(position) {}

  int64_t integer();
  std::string_view text();
  std::optional<int64_t> maybe_integer();
  std::optional<std::string_view> maybe_text();

  size_t position() const { return position_; }

 private:
  enum class Tag : uint8_t { null = 0, integer = 1, real = 2, text = 3 };

  Tag tag();
  int64_t integer_of(Tag tag);
  std::string_view text_of(Tag tag);

  std::string_view cells_;
  size_t position_;
};

class Rows {
 public:
  Rows() = default;
  explicit Rows(RawResult result) : result_(std::move(result)) {}

  size_t size() const { return result_.rows; }
  // Of all cells, as they came.
  size_t bytes() const { return result_.cells.size(); }
  int64_t changes() const { return result_.changes; }

  // Reads the next row; false behind the last one, and the struct stays as it was. The struct of
  // another query's rows traps.
  template <typename Row>
  bool next(Row& row) {
    if (read_rows_ == result_.rows) return false;
    SM_CHECK(Row::belongs_to(result_.statement) && Row::kColumns == result_.columns);
    CellReader cells(result_.cells, position_);
    row.read(cells);
    position_ = cells.position();
    ++read_rows_;
    return true;
  }

 private:
  RawResult result_;
  size_t position_ = 0;
  size_t read_rows_ = 0;
};

}  // namespace sm::store
