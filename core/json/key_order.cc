#include "core/json/key_order.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

namespace sm::json {
namespace {

// A byte that sorts as UTF-16 does. Continuation bytes are never EE or EF.
uint8_t sorting(uint8_t byte) {
  return byte == 0xEE || byte == 0xEF ? static_cast<uint8_t>(byte + 0x10) : byte;
}

// The byte at `p` of the text that a canonical string stands for; moves behind it.
uint8_t next_byte(const char*& p) {
  if (*p != '\\') return sorting(static_cast<uint8_t>(*p++));
  char c = p[1];
  p += 2;
  switch (c) {
    case 'b':
      return 8;
    case 't':
      return 9;
    case 'n':
      return 10;
    case 'f':
      return 12;
    case 'r':
      return 13;
    case 'u': {
      char digit = p[3];
      p += 4;
      int low = digit <= '9' ? digit - '0' : digit - 'a' + 10;
      return static_cast<uint8_t>((p[-2] - '0') * 16 + low);
    }
    default:
      return static_cast<uint8_t>(c);
  }
}

int compare_bytes(const char* a, const char* a_end, const char* b, const char* b_end) {
  while (a != a_end && b != b_end) {
    uint8_t x = next_byte(a), y = next_byte(b);
    if (x != y) return x < y ? -1 : 1;
  }
  return (a != a_end) - (b != b_end);
}

}  // namespace

int compare_keys(std::string_view a, std::string_view b) {
  const char* x = a.data() + 1;
  const char* y = b.data() + 1;
  // What is equal as text is equal; a step of eight may split a character, never an escape's
  // meaning, since the text before it is the same on both sides.
  size_t common = std::min(a.size(), b.size()) - 2;
  size_t same = 0;
  for (; common - same >= 8 && std::memcmp(x + same, y + same, 8) == 0;) same += 8;
  // Back to where no escape can have begun that reaches over the step.
  const char* from = x + same;
  size_t back = std::min<size_t>(same, 6);
  if (std::memchr(from - back, '\\', back) != nullptr) same = 0;
  return compare_bytes(x + same, a.data() + a.size() - 1, y + same, b.data() + b.size() - 1);
}

uint64_t key_prefix(std::string_view key) {
  const char* p = key.data() + 1;
  const char* end = key.data() + key.size() - 1;
  uint64_t prefix = 0;
  if (end - p >= 8) {
    std::memcpy(&prefix, p, 8);
    constexpr uint64_t kOnes = 0x0101010101010101, kHighs = 0x8080808080808080;
    uint64_t slash = prefix ^ (kOnes * '\\');
    bool plain = ((prefix | ((slash - kOnes) & ~slash)) & kHighs) == 0;
    if (plain) return __builtin_bswap64(prefix);
    prefix = 0;
  }
  for (int i = 0; i < 8; ++i) prefix = prefix << 8 | (p != end ? next_byte(p) : 0);
  return prefix;
}

}  // namespace sm::json
