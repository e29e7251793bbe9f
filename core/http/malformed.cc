#include "core/http/malformed.h"

#include <algorithm>
#include <string>

#include "core/http/utf8.h"

namespace sm::http {
namespace {

constexpr std::string_view kBlank = " \t\r\n";
constexpr size_t kMaxCharacterBytes = 4;

// Whether the character that the byte at `at` belongs to, or the one that it breaks off, is no
// UTF-8.
bool breaks_utf8(std::string_view bytes, size_t at) {
  auto is_ascii = [&](size_t i) { return static_cast<uint8_t>(bytes[i]) < 0x80; };
  size_t begin = at;
  while (begin > 0 && at - begin < kMaxCharacterBytes && !is_ascii(begin - 1)) --begin;
  size_t end = at;
  while (end < bytes.size() && end - at < kMaxCharacterBytes && !is_ascii(end)) ++end;
  // A character that goes on beyond the bytes at hand is given the benefit of the doubt.
  return end < bytes.size() && !is_utf8(bytes.substr(begin, end - begin));
}

// Whether an object begins at `at`, on a line behind the one where another ended.
bool begins_next_line(std::string_view bytes, size_t at) {
  if (bytes[at] != '{') return false;
  size_t last = bytes.substr(0, at).find_last_not_of(kBlank);
  return last != std::string_view::npos && bytes[last] == '}' &&
         bytes.substr(last, at - last).find('\n') != std::string_view::npos;
}

}  // namespace

Error malformed_body(uint64_t offset, std::string_view bytes, uint64_t before) {
  bool empty = before == 0 && bytes.find_first_not_of(kBlank) == std::string_view::npos;
  if (empty) return {ErrorCode::malformed, "The body is empty: send a JSON text."};
  std::string detail =
      "The byte at offset " + std::to_string(offset) + " cannot continue a JSON text";
  bool at_hand = offset >= before && offset - before < bytes.size();
  auto at = static_cast<size_t>(offset - before);
  if (at_hand && breaks_utf8(bytes, at)) {
    detail += ": it is no UTF-8. Send the body in UTF-8, not in Latin-1 or another encoding";
  } else if (at_hand && begins_next_line(bytes, at)) {
    detail += ". Where each line is a property, send them as Content-Type: application/x-ndjson";
  } else if (!at_hand && offset == before + bytes.size()) {
    detail += ", which is not complete: the body ends there";
  }
  return {ErrorCode::malformed, detail + "."};
}

}  // namespace sm::http
