#include "core/http/public_url.h"

#include <algorithm>

#include "core/base/limits.h"
#include "core/http/ip_address.h"

namespace sm::http {
namespace {

constexpr size_t kMaxHostBytes = 253;

struct Range4 {
  uint32_t address;
  int bits;
};

// IANA IPv4 special-purpose address registry: what is not globally reachable, and multicast.
constexpr Range4 kPrivate4[] = {
    {0x00000000, 8},  {0x0A000000, 8},  {0x64400000, 10}, {0x7F000000, 8},  {0xA9FE0000, 16},
    {0xAC100000, 12}, {0xC0000000, 24}, {0xC0000200, 24}, {0xC0586300, 24}, {0xC0A80000, 16},
    {0xC6120000, 15}, {0xC6336400, 24}, {0xCB007100, 24}, {0xE0000000, 4},  {0xF0000000, 4}};

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return result;
}

bool ends_with(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

uint32_t ipv4_at(const std::array<uint8_t, 16>& address, size_t at) {
  return static_cast<uint32_t>(address[at]) << 24 | static_cast<uint32_t>(address[at + 1]) << 16 |
         static_cast<uint32_t>(address[at + 2]) << 8 | address[at + 3];
}

bool is_public_name(std::string_view host) {
  if (ends_with(host, ".")) host.remove_suffix(1);
  if (host.find('.') == std::string_view::npos) return false;
  for (std::string_view zone :
       {".localhost", ".local", ".internal", ".home.arpa", ".lan", ".intranet"}) {
    if (ends_with(host, zone)) return false;
  }
  return true;
}

bool has_forbidden(std::string_view host) {
  return std::any_of(host.begin(), host.end(), [](char c) {
    bool plain =
        (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
    return !plain;
  });
}

std::optional<std::string> port_problem(std::string_view port) {
  bool fits = !port.empty() && port.size() <= 5 &&
              std::all_of(port.begin(), port.end(), [](char c) { return c >= '0' && c <= '9'; });
  int value = 0;
  for (char digit : fits ? port : std::string_view()) value = value * 10 + (digit - '0');
  if (fits && value <= 65535) return std::nullopt;
  return "must have a port from 0 to 65535, or none";
}

std::optional<std::string> host_problem(std::string_view given,
                                        PrivateAddresses private_addresses) {
  constexpr const char* kNotPublic = "must name a public address";
  bool any = private_addresses == PrivateAddresses::allowed;
  if (given.size() >= 2 && given.front() == '[' && given.back() == ']') {
    auto address = parse_ipv6(given.substr(1, given.size() - 2));
    if (!address) return "has an IPv6 address that cannot be read";
    if (!any && !is_public_ipv6(*address)) return kNotPublic;
    return std::nullopt;
  }
  std::string host = lower(given);
  if (host.empty() || host.size() > kMaxHostBytes || host[0] == '.' ||
      host.find("..") != std::string::npos) {
    return "must have a host";
  }
  if (has_forbidden(host)) {
    return "has a host with characters that do not belong there; write names beyond ASCII in "
           "punycode";
  }
  if (ends_in_number(host)) {
    auto address = parse_ipv4(host);
    if (!address) return "has an IPv4 address that cannot be read";
    if (!any && !is_public_ipv4(*address)) return kNotPublic;
    return std::nullopt;
  }
  if (!any && !is_public_name(host)) return kNotPublic;
  return std::nullopt;
}

}  // namespace

std::optional<std::string> url_problem(std::string_view url, PrivateAddresses private_addresses) {
  if (url.size() > kMaxUrlBytes) return "must have at most 2048 bytes";
  // fetch would strip or ignore these; a URL that means something else than it says is not kept.
  bool controls = std::any_of(url.begin(), url.end(), [](char c) {
    return static_cast<uint8_t>(c) <= ' ' || c == 0x7f || c == '\\';
  });
  size_t colon = url.find("://");
  std::string scheme = lower(url.substr(0, std::min(colon, url.size())));
  if (controls || colon == std::string_view::npos || (scheme != "http" && scheme != "https")) {
    return "must be an absolute http or https URL";
  }
  std::string_view authority = url.substr(colon + 3);
  authority = authority.substr(0, authority.find_first_of("/?#"));
  if (authority.find('@') != std::string_view::npos)
    return "must not contain a user name or password";
  size_t host_end = authority.find(
      ':', authority.substr(0, 1) == "[" ? std::min(authority.find(']'), authority.size()) : 0);
  if (host_end != std::string_view::npos) {
    if (auto problem = port_problem(authority.substr(host_end + 1))) return problem;
  }
  return host_problem(authority.substr(0, host_end), private_addresses);
}

bool is_public_ipv4(uint32_t address) {
  return std::none_of(std::begin(kPrivate4), std::end(kPrivate4), [&](const Range4& range) {
    return address >> (32 - range.bits) == range.address >> (32 - range.bits);
  });
}

bool is_public_ipv6(const std::array<uint8_t, 16>& address) {
  auto begins = [&](std::initializer_list<uint8_t> prefix) {
    return std::equal(prefix.begin(), prefix.end(), address.begin());
  };
  // IPv4 addresses inside: NAT64 (RFC 6052), 6to4 (RFC 3056). Mapped and compatible ones are below
  // 2000::/3.
  if (begins({0x00, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0}))
    return is_public_ipv4(ipv4_at(address, 12));
  if (begins({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}))
    return is_public_ipv4(ipv4_at(address, 12));
  if (begins({0x20, 0x02})) return is_public_ipv4(ipv4_at(address, 2));
  bool global = (address[0] & 0xE0) == 0x20;
  // 2001::/23 holds Teredo and protocol assignments; then the two ranges for documentation.
  bool special = (begins({0x20, 0x01}) && address[2] <= 1) || begins({0x20, 0x01, 0x0d, 0xb8}) ||
                 (begins({0x3f, 0xff}) && address[2] <= 0x0f);
  return global && !special;
}

}  // namespace sm::http
