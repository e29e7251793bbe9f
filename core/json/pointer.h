// JSON Pointer, RFC 6901: `/a~1b/0` names the first element of the list under the key `a/b`.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sm::json {

using PointerTokens = std::vector<std::string>;

// The unescaped tokens, none of them for the whole document (""); nothing where the text is no
// pointer: it does not begin with a slash, or has a `~` that neither `0` nor `1` follows.
std::optional<PointerTokens> parse_pointer(std::string_view pointer);

// The value that a pointer names in a canonical text, through objects and arrays; nothing where
// there is none. An array is indexed by decimal digits without a leading zero.
std::optional<std::string_view> find(std::string_view canonical, const PointerTokens& tokens);

// Appends `/` and the escaped token.
void append_token(std::string& pointer, std::string_view token);

}  // namespace sm::json
