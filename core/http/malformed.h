// What is told of a body that is no JSON text. Most senders of such bodies made one of three
// mistakes, which the problem names: nothing was sent, the text is not in UTF-8, or it is a
// property a line under the media type of JSON.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/base/error.h"

namespace sm::http {

// `offset`, from the body's first byte, is that of the first byte that cannot continue a JSON text.
// `bytes` is the part of the body that is at hand, behind `before` others.
Error malformed_body(uint64_t offset, std::string_view bytes, uint64_t before = 0);

}  // namespace sm::http
