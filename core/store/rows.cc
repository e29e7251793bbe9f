#include "core/store/rows.h"

#include <cstring>

#include "core/base/check.h"

namespace sm::store {
namespace {

template <typename T>
T read(std::string_view cells, size_t& position) {
  SM_CHECK(position + sizeof(T) <= cells.size());
  T value;
  std::memcpy(&value, cells.data() + position, sizeof(T));
  position += sizeof(T);
  return value;
}

}  // namespace

bool Rows::next() {
  if (read_rows_ == result_.rows) return false;
  ++read_rows_;
  row_.clear();
  for (size_t column = 0; column < result_.columns; ++column) row_.push_back(read_cell());
  return true;
}

Rows::Cell Rows::read_cell() {
  // Tags and layout: wasm/README.md.
  switch (read<uint8_t>(result_.cells, position_)) {
    case 0:
      return nullptr;
    case 1:
      return read<int64_t>(result_.cells, position_);
    case 2:
      return read<double>(result_.cells, position_);
    case 3: {
      auto length = read<uint32_t>(result_.cells, position_);
      SM_CHECK(length <= result_.cells.size() - position_);
      position_ += length;
      return result_.cells.substr(position_ - length, length);
    }
    default:
      SM_CHECK(false);
      return nullptr;
  }
}

int64_t Rows::integer(size_t column) const {
  auto value = maybe_integer(column);
  SM_CHECK(value.has_value());
  return *value;
}

std::string_view Rows::text(size_t column) const {
  auto value = maybe_text(column);
  SM_CHECK(value.has_value());
  return *value;
}

std::optional<int64_t> Rows::maybe_integer(size_t column) const {
  SM_CHECK(column < row_.size());
  const Cell& cell = row_[column];
  if (std::holds_alternative<std::nullptr_t>(cell)) return std::nullopt;
  if (const double* real = std::get_if<double>(&cell)) return static_cast<int64_t>(*real);
  SM_CHECK(std::holds_alternative<int64_t>(cell));
  return *std::get_if<int64_t>(&cell);
}

std::optional<std::string_view> Rows::maybe_text(size_t column) const {
  SM_CHECK(column < row_.size());
  const Cell& cell = row_[column];
  if (std::holds_alternative<std::nullptr_t>(cell)) return std::nullopt;
  SM_CHECK(std::holds_alternative<std::string_view>(cell));
  return *std::get_if<std::string_view>(&cell);
}

}  // namespace sm::store
