#include "core/json/cursor.h"

#include "core/json/simd.h"
#include "core/json/text.h"

namespace sm::json {
namespace {

// Behind the closing quote of the string that starts at `p`.
const char* skip_string(const char* p, const char* end) {
  for (++p; p < end;) {
    if (end - p >= 16) {
      Bytes16 v = load16(p);
      uint32_t mask = bit_mask((Bytes16)(v == '"') | (Bytes16)(v == '\\'));
      if (mask == 0) {
        p += 16;
        continue;
      }
      p += __builtin_ctz(mask);
    }
    if (*p == '"') return p + 1;
    p += *p == '\\' ? 2 : 1;
  }
  return end;
}

// Behind the bracket that closes the container that starts at `p`.
const char* skip_container(const char* p, const char* end) {
  size_t depth = 0;
  while (p < end) {
    char c = *p;
    if (c == '"') {
      p = skip_string(p, end);
      continue;
    }
    ++p;
    if (c == '{' || c == '[') ++depth;
    if ((c == '}' || c == ']') && --depth == 0) break;
  }
  return p;
}

const char* skip(const char* p, const char* end) {
  if (p >= end) return end;
  if (*p == '"') return skip_string(p, end);
  if (*p == '{' || *p == '[') return skip_container(p, end);
  while (p != end && *p != ',' && *p != '}' && *p != ']') ++p;
  return p;
}

}  // namespace

ValueType type_of(std::string_view value) {
  switch (value.empty() ? 'n' : value[0]) {
    case '{':
      return ValueType::object;
    case '[':
      return ValueType::array;
    case '"':
      return ValueType::string;
    case 't':
    case 'f':
      return ValueType::boolean;
    case 'n':
      return ValueType::null;
    default:
      return ValueType::number;
  }
}

size_t skip_value(std::string_view text, size_t position) {
  const char* end = text.data() + text.size();
  return static_cast<size_t>(skip(text.data() + position, end) - text.data());
}

bool MemberCursor::next() {
  // Behind the opening brace, or behind the comma: at the end only the closing brace is left.
  if (position_ + 1 >= text_.size()) return false;
  size_t colon = skip_value(text_, position_);
  key_ = text_.substr(position_, colon - position_);
  size_t behind = skip_value(text_, colon + 1);
  value_ = text_.substr(colon + 1, behind - colon - 1);
  position_ = behind + 1;
  return true;
}

bool ElementCursor::next() {
  if (position_ + 1 >= text_.size()) return false;
  size_t behind = skip_value(text_, position_);
  value_ = text_.substr(position_, behind - position_);
  position_ = behind + 1;
  return true;
}

std::string unquote(std::string_view string) {
  std::string_view inner = string.substr(1, string.size() - 2);
  std::string out;
  out.reserve(inner.size());
  for (size_t i = 0; i < inner.size(); ++i) {
    if (inner[i] != '\\') {
      out += inner[i];
      continue;
    }
    char c = inner[++i];
    switch (c) {
      case 'b':
        out += '\b';
        break;
      case 't':
        out += '\t';
        break;
      case 'n':
        out += '\n';
        break;
      case 'f':
        out += '\f';
        break;
      case 'r':
        out += '\r';
        break;
      case 'u': {  // \u00xx, a control character
        char high = inner[i + 3], low = inner[i + 4];
        out += static_cast<char>((high - '0') * 16 + (low <= '9' ? low - '0' : low - 'a' + 10));
        i += 4;
        break;
      }
      default:
        out += c;
    }
  }
  return out;
}

void append_quoted(std::string& out, std::string_view utf8) {
  out += '"';
  const char* p = utf8.data();
  const char* end = p + utf8.size();
  while (p != end) {
    const char* plain = p;
    p = skip_plain(p, end);
    out.append(plain, p);
    if (p == end) break;
    char escaped[6];
    out.append(escaped, write_escaped(static_cast<uint8_t>(*p++), escaped));
  }
  out += '"';
}

std::string quote(std::string_view utf8) {
  std::string out;
  out.reserve(utf8.size() + 2);
  append_quoted(out, utf8);
  return out;
}

std::optional<std::string_view> find_member(std::string_view object, std::string_view key_utf8) {
  if (type_of(object) != ValueType::object) return std::nullopt;
  MemberCursor member(object);
  if (!member.next()) return std::nullopt;
  std::string key = quote(key_utf8);
  do {
    if (member.key() == key) return member.value();
  } while (member.next());
  return std::nullopt;
}

}  // namespace sm::json
