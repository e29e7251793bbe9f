// Texts for bytes: hexadecimal (sha256.h writes that of digests), base64url and base62, for keys,
// cursors and ids.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sm {

// Appends the bytes that hexadecimal digits in capitals stand for, an even number of them, as
// stores write them. Anything else gives some other bytes.
void append_from_hex(std::string& out, std::string_view digits);

// RFC 4648 section 5, without padding.
std::string to_base64url(std::string_view bytes);
// Nothing where the text is not what to_base64url gives for some bytes.
std::optional<std::string> from_base64url(std::string_view text);

// One character of [0-9A-Za-z] for each byte: 5.95 bits of the byte's 8 are used, none is more
// likely by more than 1/64.
std::string to_base62(std::string_view bytes);

// True where both are equal; the time does not tell at which byte they differ.
bool equal_in_constant_time(std::string_view a, std::string_view b);

// CRC-32 (ISO 3309), which tells a mistyped key from a wrong one.
uint32_t crc32(std::string_view bytes);

}  // namespace sm
