#include "core/base/encoding.h"

namespace sm {
namespace {

constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::string_view kBase62 =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

// Of a digit or a capital letter, without a branch, so that the compiler takes many at a time.
uint8_t nibble(char digit) {
  auto byte = static_cast<uint8_t>(digit);
  return static_cast<uint8_t>((byte & 0x0f) + (byte >> 6) * 9);
}

}  // namespace

void append_from_hex(std::string& out, std::string_view digits) {
  size_t bytes = digits.size() / 2;
  size_t start = out.size();
  out.resize(start + bytes);
  const char* in = digits.data();
  char* to = out.data() + start;
  for (size_t i = 0; i < bytes; ++i) {
    to[i] = static_cast<char>(nibble(in[2 * i]) << 4 | nibble(in[2 * i + 1]));
  }
}

std::string to_base64url(std::string_view bytes) {
  std::string text;
  text.reserve((bytes.size() * 4 + 2) / 3);
  uint32_t bits = 0;
  int count = 0;
  for (char byte : bytes) {
    bits = bits << 8 | static_cast<uint8_t>(byte);
    for (count += 8; count >= 6; count -= 6) text += kBase64[bits >> (count - 6) & 63];
  }
  if (count > 0) text += kBase64[bits << (6 - count) & 63];
  return text;
}

std::optional<std::string> from_base64url(std::string_view text) {
  std::string bytes;
  uint32_t bits = 0;
  int count = 0;
  for (char character : text) {
    size_t digit = kBase64.find(character);
    if (digit == std::string_view::npos) return std::nullopt;
    bits = bits << 6 | static_cast<uint32_t>(digit);
    count += 6;
    if (count >= 8) {
      count -= 8;
      bytes += static_cast<char>(bits >> count & 255);
    }
  }
  // Left-over bits that are not zero, or a lone last character, have no bytes that they stand for.
  if (to_base64url(bytes) != text) return std::nullopt;
  return bytes;
}

std::string to_base62(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size());
  for (char byte : bytes) text += kBase62[static_cast<uint8_t>(byte) * 62u >> 8];
  return text;
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  unsigned difference = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    difference |= static_cast<unsigned>(static_cast<uint8_t>(a[i]) ^ static_cast<uint8_t>(b[i]));
  }
  return difference == 0;
}

uint32_t crc32(std::string_view bytes) {
  uint32_t crc = 0xffffffff;
  for (char byte : bytes) {
    crc ^= static_cast<uint8_t>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc;
}

}  // namespace sm
