// The keys that the last object at some place had, as a prediction for the next one there.
//
// Objects of an import mostly have the same members in the same order. A shape keeps their
// canonical texts in the order in which they came, and the order in which they sort. While the keys
// of an object follow the shape (members may be left out, none may be new), reading a key is one
// comparison, and at the end its members are known to be different and their sorted order is read
// off.
//
// A place is a number made from the path of keys, and places that meet in one slot only predict
// badly: the shape never decides anything that the text does not confirm.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "core/json/simd.h"

namespace sm::json {

struct KeyShape {
  static constexpr size_t kMaxKeys = 64;
  static constexpr size_t kTextBytes = 2048;

  uint8_t count = 0;
  std::array<uint8_t, kMaxKeys> sorted;   // indexes of keys, in their sorted order
  std::array<uint16_t, kMaxKeys> size;    // of the canonical text, quotes included
  std::array<uint16_t, kMaxKeys> offset;  // in `text`, a multiple of 16
  std::array<char, kTextBytes> text;

  // Adds the key that comes next in the text; false where there is no room.
  bool add(std::string_view key, size_t& used);

  // Whether the key at `index` stands at `p`, where at least `room` bytes may be read.
  bool matches(size_t index, const char* p, size_t room) const {
    size_t left = size[index];
    const char* expected = text.data() + offset[index];
    if (room < ((left + 15) & ~static_cast<size_t>(15))) return false;
    for (; left > 16; left -= 16, p += 16, expected += 16) {
      if (differing(p, expected) != 0) return false;
    }
    return (differing(p, expected) & ((uint32_t{1} << left) - 1)) == 0;
  }

 private:
  static uint32_t differing(const char* a, const char* b) {
    return bit_mask((Bytes16)(load16(a) != load16(b)));
  }
};

class KeyShapes {
 public:
  static constexpr uint32_t kSlots = 128;

  static uint32_t root_place() { return 0; }
  static uint32_t place_of_member(uint32_t place, size_t index) {
    return (place * 37 + static_cast<uint32_t>(index) + 1) % kSlots;
  }
  static uint32_t place_of_element(uint32_t place) { return (place * 37 + 91) % kSlots; }

  // Null where nothing was learnt.
  const KeyShape* at(uint32_t place) const { return slots_[place].get(); }

  // An empty shape to be filled; `at` gives it from now on.
  KeyShape& renew(uint32_t place);

 private:
  std::array<std::unique_ptr<KeyShape>, kSlots> slots_;
};

}  // namespace sm::json
