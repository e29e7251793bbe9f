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

// Tags and layout: wasm/README.md.
CellReader::Tag CellReader::tag() { return static_cast<Tag>(read<uint8_t>(cells_, position_)); }

int64_t CellReader::integer_of(Tag tag) {
  if (tag == Tag::real) {
    // JavaScript has one kind of number, and a host may send an integer as this one.
    constexpr double kSafe = 9007199254740991;
    auto real = read<double>(cells_, position_);
    SM_CHECK(real >= -kSafe && real <= kSafe);
    return static_cast<int64_t>(real);
  }
  SM_CHECK(tag == Tag::integer);
  return read<int64_t>(cells_, position_);
}

std::string_view CellReader::text_of(Tag tag) {
  SM_CHECK(tag == Tag::text);
  auto length = read<uint32_t>(cells_, position_);
  SM_CHECK(length <= cells_.size() - position_);
  position_ += length;
  return cells_.substr(position_ - length, length);
}

int64_t CellReader::integer() { return integer_of(tag()); }

std::string_view CellReader::text() { return text_of(tag()); }

std::optional<int64_t> CellReader::maybe_integer() {
  Tag cell = tag();
  return cell == Tag::null ? std::nullopt : std::optional(integer_of(cell));
}

std::optional<std::string_view> CellReader::maybe_text() {
  Tag cell = tag();
  return cell == Tag::null ? std::nullopt : std::optional(text_of(cell));
}

}  // namespace sm::store
