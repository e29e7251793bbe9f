#include "core/openapi/schemas.h"

#include "core/base/limits.h"
#include "core/sync/config.h"

namespace sm::openapi {
namespace {

using api::Parameter;
using api::RequestField;
using api::RequestShape;
using api::ResponseField;
using api::ResponseShape;

// Braces around a single pair would make a list of two, so objects are named.
Json object(Json::initializer_list_t members) { return Json::object(members); }

constexpr std::string_view kNoNul = "^[^\\u0000]*$";

Json of_type(std::string_view type) { return object({{"type", type}}); }

Json choice_schema(Choices choices) {
  Json schema = of_type("string");
  for (std::string_view choice : choices) schema["enum"].push_back(choice);
  return schema;
}

Json list_of(Json items) {
  Json schema = of_type("array");
  schema["items"] = std::move(items);
  return schema;
}

Json free_object() {
  Json schema = of_type("object");
  schema["additionalProperties"] = true;
  return schema;
}

Json time_schema() {
  Json schema = of_type("string");
  schema["format"] = "date-time";
  return schema;
}

// Null counts, too. A reference has no type to add it to.
Json or_null(Json schema) {
  if (!schema.contains("type")) return object({{"anyOf", Json::array({schema, of_type("null")})}});
  schema["type"] = Json::array({schema["type"], "null"});
  if (schema.contains("enum")) schema["enum"].push_back(nullptr);
  return schema;
}

Json config_member_schema(const sync::ConfigMember& member) {
  using Kind = sync::ConfigMember::Kind;
  Json schema;
  switch (member.kind) {
    case Kind::url:
      schema = of_type("string");
      schema["format"] = "uri";
      schema["pattern"] = "^[Hh][Tt][Tt][Pp][Ss]?://";
      schema["maxLength"] = kMaxUrlBytes;
      break;
    case Kind::pointer:
      schema = of_type("string");
      schema["pattern"] = "^(/([^/~]|~[01])*)*$";
      schema["maxLength"] = kMaxPointerBytes;
      break;
    case Kind::ratio:
      schema = of_type("number");
      schema["minimum"] = 0;
      schema["maximum"] = 1;
      break;
    case Kind::choice:
      schema = choice_schema(member.choices);
      schema["default"] = member.choices.front();
      break;
  }
  schema["description"] = *member.doc;
  return schema;
}

// In a merge patch each member may be null, which drops it.
enum class Members { as_given, patched };

Json config_schema(Connector connector, Members members) {
  Json schema = of_type("object");
  for (const sync::ConfigMember& member : sync::config_members(connector)) {
    Json one = config_member_schema(member);
    bool patched = members == Members::patched;
    if (patched) one.erase("default");
    schema["properties"][std::string(member.name)] = patched ? or_null(std::move(one)) : one;
  }
  schema["additionalProperties"] = true;
  return schema;
}

Json request_field_schema(const RequestField& field) {
  using Kind = RequestField::Kind;
  bool nullable = field.need == RequestField::Need::nullable;
  Members members = nullable ? Members::patched : Members::as_given;
  Json schema;
  switch (field.kind) {
    case Kind::name:
      schema = of_type("string");
      schema["minLength"] = 1;
      schema["maxLength"] = kMaxNameCharacters;
      schema["pattern"] = kNoNul;
      break;
    case Kind::key:
      schema = of_type("string");
      schema["minLength"] = kMinKeyCharacters;
      schema["maxLength"] = kMaxKeyCharacters;
      schema["pattern"] = "^(?!sm_)[A-Za-z0-9._~-]+$";
      break;
    case Kind::time:
      schema = time_schema();
      break;
    case Kind::choice:
      schema = choice_schema(field.choices);
      break;
    case Kind::object:
      schema = free_object();
      break;
    case Kind::source_config:
      schema = config_schema(Connector::source, members);
      break;
    case Kind::target_config:
      schema = config_schema(Connector::target, members);
      break;
    case Kind::items:
      schema = list_of(free_object());
      break;
  }
  if (nullable) schema = or_null(std::move(schema));
  if (!field.doc->empty()) schema["description"] = *field.doc;
  return schema;
}

Json answer_field_schema(const ResponseField& field) {
  using Kind = ResponseField::Kind;
  Json schema;
  switch (field.kind) {
    case Kind::integer:
      schema = of_type("integer");
      break;
    case Kind::boolean:
      schema = of_type("boolean");
      break;
    case Kind::text:
      schema = of_type("string");
      break;
    case Kind::choice:
      schema = choice_schema(field.choices);
      break;
    case Kind::time:
      schema = time_schema();
      break;
    case Kind::object:
      schema = free_object();
      break;
    case Kind::counts:
      schema = of_type("object");
      schema["additionalProperties"] = of_type("integer");
      break;
    case Kind::nested:
      schema = reference(field.of->name);
      break;
    case Kind::list:
      schema = list_of(reference(field.of->name));
      break;
    case Kind::texts:
      schema = list_of(of_type("string"));
      break;
  }
  if (field.need == ResponseField::Need::nullable) schema = or_null(std::move(schema));
  if (!field.doc.empty()) schema["description"] = field.doc;
  return schema;
}

}  // namespace

Json reference(std::string_view name) {
  return object({{"$ref", "#/components/schemas/" + std::string(name)}});
}

Json parameter_schema(const Parameter& parameter) {
  Json schema;
  switch (parameter.kind) {
    case Parameter::Kind::integer:
      schema = of_type("integer");
      schema["minimum"] = parameter.low;
      schema["maximum"] = parameter.high;
      break;
    case Parameter::Kind::boolean:
      schema = of_type("boolean");
      break;
    case Parameter::Kind::choice:
      schema = choice_schema(parameter.choices);
      break;
    case Parameter::Kind::time:
      schema = time_schema();
      break;
    case Parameter::Kind::text:
      schema = of_type("string");
      schema["minLength"] = parameter.low;
      schema["maxLength"] = parameter.high;
      schema["pattern"] = kNoNul;
      break;
    case Parameter::Kind::cursor:
      schema = of_type("string");
      schema["minLength"] = 1;
      break;
  }
  if (!parameter.preset->empty()) schema["default"] = Json::parse(*parameter.preset);
  return schema;
}

void add_schema(Json& schemas, const RequestShape& shape) {
  Json& schema = schemas[std::string(*shape.name)] = of_type("object");
  schema["properties"] = Json::object();
  for (const RequestField& field : shape.fields) {
    schema["properties"][std::string(field.name)] = request_field_schema(field);
    if (field.need == RequestField::Need::required) schema["required"].push_back(field.name);
  }
  schema["additionalProperties"] = false;
}

void add_schema(Json& schemas, const ResponseShape& shape) {
  Json schema = of_type("object");
  for (const ResponseField& field : shape.fields) {
    schema["properties"][std::string(field.name)] = answer_field_schema(field);
    if (field.need != ResponseField::Need::optional) schema["required"].push_back(field.name);
    if (field.of != nullptr) add_schema(schemas, *field.of);
  }
  schemas[std::string(shape.name)] = std::move(schema);
}

void add_problem_schema(Json& schemas) {
  Json field = of_type("object");
  field["properties"] = {
      {"pointer", {{"type", "string"}, {"description", "Where in the body, as a JSON Pointer."}}},
      {"parameter", {{"type", "string"}, {"description", "Which parameter of the query."}}},
      {"index", {{"type", "integer"}, {"description", "Which item of an import, from 0."}}},
      {"external_id", {{"type", Json::array({"string", "null"})}}},
      {"detail", of_type("string")}};
  field["required"] = Json::array({"detail"});
  schemas["FieldError"] = std::move(field);
  Json quota = of_type("object");
  quota["description"] = "The quota that a tenant would pass.";
  quota["properties"] = {
      {"name", of_type("string")}, {"limit", of_type("integer")}, {"used", of_type("integer")}};
  Json problem = of_type("object");
  problem["description"] = "Problem details (RFC 9457).";
  problem["properties"] = {{"type", of_type("string")},
                           {"title", of_type("string")},
                           {"status", of_type("integer")},
                           {"detail", of_type("string")},
                           {"errors", list_of(reference("FieldError"))},
                           {"quota", quota},
                           {"stats", reference("ImportStats")}};
  problem["properties"]["stats"]["description"] = "Of an import of which every item failed.";
  problem["required"] = Json::array({"type", "title", "status", "detail"});
  schemas["Problem"] = std::move(problem);
}

}  // namespace sm::openapi
