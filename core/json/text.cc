#include "core/json/text.h"

#include <cstring>

namespace sm::json {
namespace {

// -1 where it is no hex digit.
int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

uint32_t read_hex(const char* p) {
  uint32_t unit = 0;
  for (int i = 0; i < 4; ++i) unit = unit << 4 | static_cast<uint32_t>(hex_value(p[i]));
  return unit;
}

// Whether `\uXXXX` is itself canonical: a control character without a letter of its own, in lower
// case.
bool is_canonical_unicode(const char* hex) {
  if (std::memcmp(hex, "00", 2) != 0) return false;
  if (hex[2] != '0' && hex[2] != '1') return false;
  if (hex[3] >= 'A' && hex[3] <= 'F') return false;
  return hex[2] == '1' || std::strchr("89acd", hex[3]) == nullptr;
}

char* write_utf8(uint32_t code, char* out) {
  auto put = [&out](uint32_t byte) { *out++ = static_cast<char>(static_cast<uint8_t>(byte)); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0 | code >> 6), put(0x80 | (code & 63));
  } else if (code < 0x10000) {
    put(0xE0 | code >> 12), put(0x80 | (code >> 6 & 63)), put(0x80 | (code & 63));
  } else {
    put(0xF0 | code >> 18), put(0x80 | (code >> 12 & 63));
    put(0x80 | (code >> 6 & 63)), put(0x80 | (code & 63));
  }
  return out;
}

// The escape whose backslash is at `scan.at`; leaves it behind the escape.
void scan_escape(StringScan& scan, const char* end) {
  const char* p = scan.at + 1;
  scan.escaped = true;
  if (p == end) {
    scan.result = Scan::cut;
  } else if (*p == 'u') {
    for (int i = 1; i <= 4; ++i) {
      if (p + i == end || hex_value(p[i]) < 0) {
        scan.result = p + i == end ? Scan::cut : Scan::bad;
        scan.at = p + i;
        return;
      }
    }
    if (!is_canonical_unicode(p + 1)) scan.rewrite = true;
    scan.at = p + 5;
  } else if (*p == '/') {
    scan.rewrite = true;
    scan.at = p + 1;
  } else if (*p == '"' || *p == '\\' || *p == 'b' || *p == 'f' || *p == 'n' || *p == 'r' ||
             *p == 't') {
    scan.at = p + 1;
  } else {
    scan.result = Scan::bad;
    scan.at = p;
  }
}

}  // namespace

Utf8Scan scan_utf8(const char* p, const char* end) {
  uint8_t lead = static_cast<uint8_t>(*p);
  uint8_t low = 0x80, high = 0xBF;
  int more;
  if (lead >= 0xC2 && lead <= 0xDF) {
    more = 1;
  } else if ((lead & 0xF0) == 0xE0) {
    more = 2;
    if (lead == 0xE0) low = 0xA0;   // shorter forms exist
    if (lead == 0xED) high = 0x9F;  // surrogates
  } else if (lead >= 0xF0 && lead <= 0xF4) {
    more = 3;
    if (lead == 0xF0) low = 0x90;
    if (lead == 0xF4) high = 0x8F;  // beyond U+10FFFF
  } else {
    return {Scan::bad, p};
  }
  for (++p; more > 0; --more, ++p) {
    if (p == end) return {Scan::cut, p};
    uint8_t byte = static_cast<uint8_t>(*p);
    if (byte < low || byte > high) return {Scan::bad, p};
    low = 0x80, high = 0xBF;
  }
  return {Scan::ok, p};
}

StringScan scan_string_slowly(const char* p, const char* end) {
  StringScan scan{.at = p};
  for (;;) {
    if (scan.at == end) {
      scan.result = Scan::cut;
      return scan;
    }
    uint8_t c = static_cast<uint8_t>(*scan.at);
    if (c >= 0x80) {
      Utf8Scan sequence = scan_utf8(scan.at, end);
      scan.result = sequence.result;
      scan.at = sequence.at;
      if (scan.result != Scan::ok) return scan;
      // Where one such character is, the next one mostly is another.
      if (scan.at != end && static_cast<uint8_t>(*scan.at) >= 0x80) continue;
    } else if (c == '"') {
      ++scan.at;
      return scan;
    } else if (c == '\\') {
      scan_escape(scan, end);
      if (scan.result != Scan::ok) return scan;
    } else if (c < 0x20) {
      scan.result = Scan::bad;
      return scan;
    }
    scan.at = skip_plain(scan.at, end);
  }
}

size_t write_escaped(uint8_t byte, char* out) {
  constexpr char kDigits[] = "0123456789abcdef";
  if (byte == '"' || byte == '\\') {
    out[0] = '\\', out[1] = static_cast<char>(byte);
    return 2;
  }
  if (byte >= 0x20) {
    out[0] = static_cast<char>(byte);
    return 1;
  }
  constexpr char kLetters[] = "\0\0\0\0\0\0\0\0btn\0fr\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
  if (kLetters[byte] != 0) {
    out[0] = '\\', out[1] = kLetters[byte];
    return 2;
  }
  std::memcpy(out, "\\u00", 4);
  out[4] = kDigits[byte >> 4], out[5] = kDigits[byte & 15];
  return 6;
}

Rewritten rewrite_string(const char* p, const char* end, char* out) {
  const char* start = out;
  bool lone = false;
  while (p != end) {
    if (*p != '\\') {
      *out++ = *p++;
    } else if (p[1] == '/') {
      *out++ = '/';
      p += 2;
    } else if (p[1] != 'u') {
      *out++ = *p++;
      *out++ = *p++;
    } else {
      uint32_t code = read_hex(p + 2);
      p += 6;
      bool high = code >= 0xD800 && code < 0xDC00;
      if (high && end - p >= 6 && p[0] == '\\' && p[1] == 'u') {
        uint32_t low = read_hex(p + 2);
        if (low >= 0xDC00 && low < 0xE000) {
          code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
          p += 6;
        }
      }
      if (code >= 0xD800 && code < 0xE000) {
        lone = true;
        code = 0xFFFD;
      }
      if (code < 0x80) {
        out += write_escaped(static_cast<uint8_t>(code), out);
      } else {
        out = write_utf8(code, out);
      }
    }
  }
  return {static_cast<size_t>(out - start), lone};
}

size_t ascii_size(std::string_view text) {
  const char* p = text.data();
  const char* end = p + text.size();
  size_t doubled = 0;
  size_t controls = 0;
  size_t beyond = 0;
  size_t deletes = 0;
  size_t quotes = 0;
  for (; end - p >= 16; p += 16) {
    Bytes16 bytes = load16(p);
    auto count = [](Bytes16 matches) {
      return static_cast<size_t>(__builtin_popcount(bit_mask(matches)));
    };
    doubled += count((Bytes16)(bytes == '\\'));
    controls += count((Bytes16)(bytes < 0x20));
    beyond += count(bytes);
    deletes += count((Bytes16)(bytes == 0x7f));
    quotes += count((Bytes16)(bytes == '"'));
  }
  for (; p != end; ++p) {
    auto byte = static_cast<uint8_t>(*p);
    doubled += byte == '\\' ? 1 : 0;
    controls += byte < 0x20 ? 1 : 0;
    beyond += byte >= 0x80 ? 1 : 0;
    deletes += byte == 0x7f ? 1 : 0;
    quotes += byte == '"' ? 1 : 0;
  }
  // Two bytes of UTF-8 become six at worst, and a control character becomes six.
  return text.size() + doubled + 5 * controls + 2 * beyond + (deletes > 0 ? quotes : 0);
}

}  // namespace sm::json
