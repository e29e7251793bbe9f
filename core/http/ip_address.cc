#include "core/http/ip_address.h"

#include <algorithm>
#include <vector>

namespace sm::http {
namespace {

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

int digit_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return 99;
}

// Numbers beyond 32 bits stop at 2^32, which no part may have.
std::optional<uint64_t> parse_number(std::string_view text, uint64_t base) {
  constexpr uint64_t kBeyond = uint64_t{1} << 32;
  uint64_t value = 0;
  for (char c : text) {
    auto digit = static_cast<uint64_t>(digit_value(c));
    if (digit >= base) return std::nullopt;
    value = std::min(value * base + digit, kBeyond);
  }
  return value;
}

std::optional<uint64_t> parse_ipv4_number(std::string_view text) {
  if (text.empty()) return std::nullopt;
  bool hexadecimal = text.size() >= 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
  if (hexadecimal) return parse_number(text.substr(2), 16);
  if (text.size() > 1 && text[0] == '0') return parse_number(text.substr(1), 8);
  return parse_number(text, 10);
}

std::vector<std::string_view> labels_of(std::string_view host) {
  std::vector<std::string_view> labels = split(host, '.');
  if (labels.size() > 1 && labels.back().empty()) labels.pop_back();
  return labels;
}

// Groups of up to four hexadecimal digits between colons; an IPv4 address may stand for the last
// two.
std::optional<std::vector<uint8_t>> parse_groups(std::string_view text) {
  std::vector<uint8_t> bytes;
  if (text.empty()) return bytes;
  std::vector<std::string_view> groups = split(text, ':');
  for (size_t i = 0; i < groups.size(); ++i) {
    bool dotted = groups[i].find('.') != std::string_view::npos;
    if (dotted) {
      auto address = parse_ipv4(groups[i]);
      size_t dots = static_cast<size_t>(std::count(groups[i].begin(), groups[i].end(), '.'));
      if (!address || dots != 3 || i + 1 != groups.size()) return std::nullopt;
      for (int shift = 24; shift >= 0; shift -= 8)
        bytes.push_back(static_cast<uint8_t>(*address >> shift));
      continue;
    }
    auto value = parse_number(groups[i], 16);
    if (groups[i].empty() || groups[i].size() > 4 || !value) return std::nullopt;
    bytes.push_back(static_cast<uint8_t>(*value >> 8));
    bytes.push_back(static_cast<uint8_t>(*value));
  }
  return bytes;
}

}  // namespace

bool ends_in_number(std::string_view host) {
  std::string_view last = labels_of(host).back();
  bool digits = !last.empty() &&
                std::all_of(last.begin(), last.end(), [](char c) { return c >= '0' && c <= '9'; });
  return digits || parse_ipv4_number(last).has_value();
}

std::optional<uint32_t> parse_ipv4(std::string_view host) {
  std::vector<std::string_view> labels = labels_of(host);
  if (labels.size() > 4) return std::nullopt;
  uint64_t address = 0;
  for (size_t i = 0; i < labels.size(); ++i) {
    auto value = parse_ipv4_number(labels[i]);
    if (!value) return std::nullopt;
    bool last = i + 1 == labels.size();
    uint64_t limit = last ? uint64_t{1} << (8 * (5 - labels.size())) : 256;
    if (*value >= limit) return std::nullopt;
    address = last ? address << (8 * (5 - labels.size())) | *value : address << 8 | *value;
  }
  return static_cast<uint32_t>(address);
}

std::optional<std::array<uint8_t, 16>> parse_ipv6(std::string_view text) {
  size_t gap = text.find("::");
  bool has_gap = gap != std::string_view::npos;
  auto front = parse_groups(text.substr(0, gap));
  auto back = has_gap ? parse_groups(text.substr(gap + 2)) : std::vector<uint8_t>();
  if (!front || !back) return std::nullopt;
  size_t given = front->size() + back->size();
  // The gap stands for one group at least; an IPv4 address stands only at the very end.
  if (has_gap ? given > 14 : given != 16) return std::nullopt;
  if (has_gap && text.substr(0, gap).find('.') != std::string_view::npos) return std::nullopt;
  std::array<uint8_t, 16> address = {};
  std::copy(front->begin(), front->end(), address.begin());
  std::copy(back->begin(), back->end(), address.end() - static_cast<ptrdiff_t>(back->size()));
  return address;
}

}  // namespace sm::http
