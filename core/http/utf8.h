// Whether bytes are UTF-8, for bodies that are refused where they are not.
#pragma once

#include <string_view>

namespace sm::http {

// RFC 3629: no overlong forms, no surrogates, nothing beyond U+10FFFF.
bool is_utf8(std::string_view text);

}  // namespace sm::http
