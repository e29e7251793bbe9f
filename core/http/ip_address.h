// Texts of IP addresses as the host parser of the WHATWG URL standard reads them.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace sm::http {

// Whether a host has to be read as an IPv4 address: its last label is a number.
bool ends_in_number(std::string_view host);

// One to four parts, each decimal, octal (0…) or hexadecimal (0x…), the last one filling what is
// left.
std::optional<uint32_t> parse_ipv4(std::string_view host);

// The text between the brackets, without a zone.
std::optional<std::array<uint8_t, 16>> parse_ipv6(std::string_view text);

}  // namespace sm::http
