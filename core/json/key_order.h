// The order of keys: by UTF-16 code units of the text they stand for (RFC 8785, section 3.2.3).
//
// It is computed on canonical key text as it stands, in UTF-8 and with its escapes. Two corrections
// do it. UTF-8 bytes sort as code points do, and UTF-16 differs only for U+E000 to U+FFFF (lead
// bytes EE and EF), which stand behind the surrogate pairs (lead bytes F0 to F4). And every escape
// of a canonical text stands for a single ASCII character.
#pragma once

#include <cstdint>
#include <string_view>

namespace sm::json {

// Less than, equal to or greater than 0. Both are canonical strings, quotes included.
int compare_keys(std::string_view a, std::string_view b);

// The first eight bytes of a key as a number that sorts as the key does; equal prefixes leave it
// open.
uint64_t key_prefix(std::string_view key);

}  // namespace sm::json
