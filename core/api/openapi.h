// The API document, OpenAPI 3.1, made from the route table and the shapes: it cannot say what the
// routes do not do.
#pragma once

#include <string>

namespace sm::api {

std::string openapi_document();

}  // namespace sm::api
