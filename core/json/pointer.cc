#include "core/json/pointer.h"

#include <cstddef>

#include "core/json/cursor.h"

namespace sm::json {
namespace {

// Nothing where the token is no array index; an index that no array can have where it is beyond all
// sizes.
std::optional<size_t> array_index(std::string_view token) {
  if (token.empty() || (token[0] == '0' && token.size() > 1)) return std::nullopt;
  constexpr size_t kBeyond = size_t{1} << 31;
  size_t index = 0;
  for (char c : token) {
    if (c < '0' || c > '9') return std::nullopt;
    if (index < kBeyond / 10) {
      index = index * 10 + static_cast<size_t>(c - '0');
    } else {
      index = kBeyond;
    }
  }
  return index;
}

std::optional<std::string_view> find_element(std::string_view array, size_t index) {
  for (ElementCursor element(array); element.next(); --index) {
    if (index == 0) return element.value();
  }
  return std::nullopt;
}

}  // namespace

std::optional<PointerTokens> parse_pointer(std::string_view pointer) {
  PointerTokens tokens;
  if (!pointer.empty() && pointer[0] != '/') return std::nullopt;
  for (size_t i = 0; i < pointer.size(); ++i) {
    char c = pointer[i];
    if (c == '/') {
      tokens.emplace_back();
    } else if (c != '~') {
      tokens.back() += c;
    } else {
      ++i;
      if (i == pointer.size() || (pointer[i] != '0' && pointer[i] != '1')) return std::nullopt;
      tokens.back() += pointer[i] == '0' ? '~' : '/';
    }
  }
  return tokens;
}

std::optional<std::string_view> find(std::string_view canonical, const PointerTokens& tokens) {
  std::optional<std::string_view> value = canonical;
  for (const std::string& token : tokens) {
    if (type_of(*value) == ValueType::array) {
      std::optional<size_t> index = array_index(token);
      if (!index) return std::nullopt;
      value = find_element(*value, *index);
    } else {
      value = find_member(*value, token);
    }
    if (!value) return std::nullopt;
  }
  return value;
}

void append_token(std::string& pointer, std::string_view token) {
  pointer += '/';
  for (char c : token) {
    if (c == '~') {
      pointer += "~0";
    } else if (c == '/') {
      pointer += "~1";
    } else {
      pointer += c;
    }
  }
}

}  // namespace sm::json
