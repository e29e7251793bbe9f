// The API document as it is served: schema/openapi.json without its indentation, which the build
// makes a part of every program (schema/openapi.mjs). core/openapi/ wrote it, and a test compares
// the two.
#pragma once

#include <string_view>

namespace sm::api {

std::string_view openapi_text();

}  // namespace sm::api
