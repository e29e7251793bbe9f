#include "core/http/request.h"

#include <algorithm>

#include "core/http/utf8.h"

namespace sm::http {
namespace {

int hex_digit(char character) {
  if (character >= '0' && character <= '9') return character - '0';
  if (character >= 'a' && character <= 'f') return character - 'a' + 10;
  if (character >= 'A' && character <= 'F') return character - 'A' + 10;
  return -1;
}

// The bytes that percent-encoding stands for, whether they are UTF-8 or not.
std::string decode(std::string_view text) {
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      decoded += ' ';
    } else if (text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 &&
               hex_digit(text[i + 2]) >= 0) {
      decoded += static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
      i += 2;
    } else {
      decoded += text[i];
    }
  }
  return decoded;
}

// A name goes into problems, which are UTF-8: one that is none stays as it was written.
std::string decode_name(std::string_view text) {
  std::string decoded = decode(text);
  return is_utf8(decoded) ? decoded : std::string(text);
}

}  // namespace

std::string_view Request::path() const {
  return std::string_view(target).substr(0, target.find('?'));
}

std::string_view Request::raw_query() const {
  size_t mark = target.find('?');
  return mark == std::string::npos ? std::string_view() : std::string_view(target).substr(mark + 1);
}

std::optional<std::string_view> Request::header(std::string_view name) const {
  auto found = std::find_if(headers.begin(), headers.end(),
                            [&](const Header& header) { return header.name == name; });
  if (found == headers.end()) return std::nullopt;
  return found->value;
}

std::vector<std::pair<std::string, std::string>> parse_query(std::string_view raw) {
  std::vector<std::pair<std::string, std::string>> parameters;
  while (!raw.empty()) {
    std::string_view part = raw.substr(0, raw.find('&'));
    raw.remove_prefix(std::min(raw.size(), part.size() + 1));
    if (part.empty()) continue;
    size_t equals = std::min(part.find('='), part.size());
    parameters.emplace_back(decode_name(part.substr(0, equals)),
                            decode(part.substr(std::min(equals + 1, part.size()))));
  }
  return parameters;
}

std::string encode_query_value(std::string_view value) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string encoded;
  for (char character : value) {
    bool plain = (character >= '0' && character <= '9') || (character >= 'a' && character <= 'z') ||
                 (character >= 'A' && character <= 'Z') || character == '-' || character == '_' ||
                 character == '.' || character == '~';
    if (plain) {
      encoded += character;
    } else {
      auto byte = static_cast<uint8_t>(character);
      encoded += '%';
      encoded += kHex[byte >> 4];
      encoded += kHex[byte & 15];
    }
  }
  return encoded;
}

std::optional<int64_t> parse_id(std::string_view segment) {
  if (segment.empty() || segment[0] == '0') return std::nullopt;
  constexpr size_t kMaxDigits = 15;
  int64_t id = 0;
  for (char digit : segment) {
    if (digit < '0' || digit > '9') return std::nullopt;
    if (segment.size() <= kMaxDigits) id = id * 10 + (digit - '0');
  }
  return id;
}

std::string media_type(std::string_view content_type) {
  std::string_view type = content_type.substr(0, content_type.find(';'));
  std::string lower;
  for (char character : type) {
    if (character == ' ' || character == '\t') continue;
    lower += character >= 'A' && character <= 'Z' ? static_cast<char>(character + 32) : character;
  }
  return lower;
}

}  // namespace sm::http
