#include "core/json/key_shapes.h"

#include <cstring>

namespace sm::json {

bool KeyShape::add(std::string_view key, size_t& used) {
  size_t padded = (key.size() + 15) & ~static_cast<size_t>(15);
  if (count == kMaxKeys || used + padded > kTextBytes) return false;
  std::memcpy(text.data() + used, key.data(), key.size());
  std::memset(text.data() + used + key.size(), 0, padded - key.size());
  size[count] = static_cast<uint16_t>(key.size());
  offset[count] = static_cast<uint16_t>(used);
  ++count;
  used += padded;
  return true;
}

KeyShape& KeyShapes::renew(uint32_t place) {
  std::unique_ptr<KeyShape>& slot = slots_[place];
  if (slot == nullptr) slot = std::make_unique<KeyShape>();
  slot->count = 0;
  return *slot;
}

}  // namespace sm::json
