// Strings: where they end, whether their bytes are good, and their canonical form.
//
// A string whose text is canonical already (no escape at all, or only the shortest ones) is used
// where it stands; only the others are rewritten.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/json/simd.h"

namespace sm::json {

// What came of a scan: the token is whole; the buffer ended inside it; or a byte cannot stand where
// it does.
enum class Scan : uint8_t { ok, cut, bad };

struct StringScan {
  Scan result = Scan::ok;
  bool escaped = false;  // holds a backslash
  bool rewrite = false;  // is not canonical
  const char* at;        // ok: behind the closing quote; bad: the byte
};

// The rest of a string, from `p` on, which is behind the opening quote.
StringScan scan_string_slowly(const char* p, const char* end);

inline StringScan scan_string(const char* p, const char* end) {
  p = skip_plain(p, end);
  if (p != end && *p == '"') return {.at = p + 1};
  return scan_string_slowly(p, end);
}

struct Utf8Scan {
  Scan result;
  const char* at;  // ok: behind the sequence; bad: the byte that cannot continue it
};

// The sequence of two to four bytes that begins at `p`.
Utf8Scan scan_utf8(const char* p, const char* end);

struct Rewritten {
  size_t size;
  bool lone_surrogate;  // replaced by U+FFFD
};

// The canonical form of a string that scan_string passed, without its quotes, from [p, end) to
// `out`: never longer.
Rewritten rewrite_string(const char* p, const char* end, char* out);

// The escape that a byte needs in a canonical string: writes one to six bytes, returns how many.
size_t write_escaped(uint8_t byte, char* out);

// At most how many bytes a text takes inside an ASCII JSON string whose quotation marks need no
// escape, unless the text has U+007F: see store/pack.h.
size_t ascii_size(std::string_view text);

}  // namespace sm::json
