// A statement's rows, read one after the other from the frame that brought them. Texts are views
// into that frame, which the Rows keep alive: they stay good across a co_await as long as the Rows
// do.
#pragma once

#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "core/base/effect.h"

namespace sm::store {

class Rows {
 public:
  Rows() = default;
  explicit Rows(RawResult result) : result_(std::move(result)) {}

  size_t size() const { return result_.rows; }
  // Of all cells, as they came.
  size_t bytes() const { return result_.cells.size(); }
  int64_t changes() const { return result_.changes; }

  // Steps to the next row; false behind the last one.
  bool next();

  // Cells of the row, by column from 0. The wrong type traps: types are the schema's.
  int64_t integer(size_t column) const;
  std::string_view text(size_t column) const;
  std::optional<int64_t> maybe_integer(size_t column) const;
  std::optional<std::string_view> maybe_text(size_t column) const;

 private:
  using Cell = std::variant<std::nullptr_t, int64_t, double, std::string_view>;
  Cell read_cell();

  RawResult result_;
  size_t position_ = 0;
  size_t read_rows_ = 0;
  std::vector<Cell> row_;
};

}  // namespace sm::store
