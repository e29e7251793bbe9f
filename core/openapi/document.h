// The API document, OpenAPI 3.1, made from the route table and the shapes: it cannot say what the
// routes do not do. Only native programs have this folder: what tools/openapi.cc wrote with it is
// served as a static file, and a test fails where that is no longer the same.
#pragma once

#include <nlohmann/json.hpp>

namespace sm::openapi {

nlohmann::ordered_json document();

}  // namespace sm::openapi
