// Which addresses requests may go out to: absolute http(s) URLs without user information, and,
// unless the deployment allows private ones, only hosts that are public.
//
// Hosts are read as the WHATWG URL standard reads them, since that is what `fetch` does: IPv4
// addresses in decimal, octal and hexadecimal parts, shortened ones, and IPv6 addresses that carry
// an IPv4 one. What this reader does not take for certain, it refuses. A name is judged by its text
// alone; where it resolves to is the concern of whoever dials.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sm::http {

enum class PrivateAddresses { refused, allowed };

// What is wrong with a URL, as a text for the person who set it; nothing where it may be used.
std::optional<std::string> url_problem(std::string_view url, PrivateAddresses private_addresses);

// By the special-purpose registries of IANA (RFC 6890). The address in host order, and in network
// order.
bool is_public_ipv4(uint32_t address);
bool is_public_ipv6(const std::array<uint8_t, 16>& address);

}  // namespace sm::http
