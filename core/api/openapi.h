// The API document as it is served: schema/openapi.json without its indentation, which the build
// makes a part of every program (schema/openapi.mjs). core/openapi/ wrote it, and a test compares
// the two.
#pragma once

#include <string_view>

namespace sm::api {

std::string_view openapi_text();

// Its entity tag, quotes included: a digest of the text.
std::string_view openapi_tag();

}  // namespace sm::api
