// JSON Schemas of the API document, made from the tables of shapes, parameters and configurations.
#pragma once

#include <nlohmann/json.hpp>
#include <string_view>

#include "core/api/parameter.h"
#include "core/api/shape.h"

namespace sm::openapi {

using Json = nlohmann::ordered_json;

// A schema of components/schemas by its name.
Json reference(std::string_view name);

Json parameter_schema(const api::Parameter& parameter);

// Adds the schema of a shape under its name, and those that it refers to.
void add_schema(Json& schemas, const api::RequestShape& shape);
void add_schema(Json& schemas, const api::ResponseShape& shape);
// Problem documents (RFC 9457).
void add_problem_schema(Json& schemas);

}  // namespace sm::openapi
