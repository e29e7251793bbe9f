#include "core/api/openapi.h"

#include <nlohmann/json.hpp>

#include "core/api/call.h"

namespace sm::api {
namespace {

using Json = nlohmann::ordered_json;

// Braces around a single pair would make a list of two, so objects are named.
Json object(Json::initializer_list_t members) { return Json::object(members); }

Json reference(std::string_view name) {
  return object({{"$ref", "#/components/schemas/" + std::string(name)}});
}

Json counts(std::initializer_list<const char*> names) {
  Json properties = Json::object();
  for (const char* name : names) properties[name] = object({{"type", "integer"}});
  return {{"type", "object"},
          {"properties", properties},
          {"required", Json(std::vector<std::string>(names.begin(), names.end()))}};
}

Json field_schema(const Field& field) {
  using Kind = Field::Kind;
  Json schema;
  switch (field.kind) {
    case Kind::name:
      schema = {{"type", "string"}, {"minLength", 1}, {"maxLength", 255}};
      break;
    case Kind::text:
      schema = object({{"type", "string"}});
      break;
    case Kind::key:
      schema = {{"type", "string"},
                {"minLength", 32},
                {"maxLength", 128},
                {"pattern", "^[A-Za-z0-9._~-]+$"}};
      break;
    case Kind::choice:
      schema = {{"type", "string"}, {"enum", Json::array()}};
      for (std::string_view choice : field.choices) schema["enum"].push_back(choice);
      break;
    case Kind::integer:
      schema = object({{"type", "integer"}});
      break;
    case Kind::boolean:
      schema = object({{"type", "boolean"}});
      break;
    case Kind::time:
      schema = {{"type", "string"}, {"format", "date-time"}};
      break;
    case Kind::object:
      schema = {{"type", "object"}, {"additionalProperties", true}};
      break;
    case Kind::list:
      schema = {{"type", "array"}, {"items", object({{"type", "object"}})}};
      break;
    case Kind::stats:
      schema = {{"type", "object"}, {"additionalProperties", object({{"type", "integer"}})}};
      break;
  }
  if (field.need == Field::Need::nullable) schema["type"] = Json::array({schema["type"], "null"});
  if (!field.doc.empty()) schema["description"] = field.doc;
  return schema;
}

// A nullable member of a request may be left out; one of an answer is always there.
enum class Use { request, answer };

Json shape_schema(const Shape& shape, Use use) {
  Json properties = Json::object();
  Json required = Json::array();
  for (const Field& field : shape.fields) {
    properties[std::string(field.name)] = field_schema(field);
    bool always = field.need == Field::Need::required ||
                  (use == Use::answer && field.need == Field::Need::nullable);
    if (always) required.push_back(field.name);
  }
  Json schema = {{"type", "object"}, {"properties", properties}, {"required", required}};
  if (use == Use::request) schema["additionalProperties"] = false;
  return schema;
}

Json problem_schema() {
  Json field = {{"type", "object"},
                {"properties",
                 {{"pointer", object({{"type", "string"}})},
                  {"parameter", object({{"type", "string"}})},
                  {"detail", object({{"type", "string"}})}}},
                {"required", Json::array({"detail"})}};
  return {{"type", "object"},
          {"properties",
           {{"type", object({{"type", "string"}})},
            {"title", object({{"type", "string"}})},
            {"status", object({{"type", "integer"}})},
            {"detail", object({{"type", "string"}})},
            {"errors", {{"type", "array"}, {"items", field}}}}},
          {"required", Json::array({"type", "title", "status", "detail"})}};
}

Json status_and(const char* name, Json schema) {
  return {{"type", "object"},
          {"properties", {{"status", object({{"type", "string"}})}, {name, std::move(schema)}}},
          {"required", Json::array({"status", name})}};
}

Json import_schema() {
  Json error = {{"type", "object"},
                {"properties",
                 {{"index", object({{"type", "integer"}})},
                  {"external_id", object({{"type", {"string", "null"}}})},
                  {"detail", object({{"type", "string"}})}}},
                {"required", Json::array({"index", "external_id", "detail"})}};
  Json schema = status_and("stats", counts({"created", "updated", "skipped", "failed", "removed"}));
  schema["properties"]["status"]["enum"] = Json::array({"success", "partial", "failed"});
  schema["properties"]["errors"] = {{"type", "array"}, {"items", error}};
  schema["required"].push_back("errors");
  return schema;
}

Json sync_schema() {
  Json schema = status_and(
      "stats", counts({"created", "updated", "skipped", "warnings", "conflicts", "removed"}));
  schema["properties"]["delivery"] = {{"type", "string"},
                                      {"enum", Json::array({"none", "pending"})}};
  schema["properties"]["sync_id"] = object({{"type", "string"}});
  schema["required"].push_back("delivery");
  schema["required"].push_back("sync_id");
  return schema;
}

Json answer_schema(const Route& route) {
  switch (route.answer) {
    case Answer::row:
    case Answer::created:
      return reference(route.answer_shape->name);
    case Answer::list:
      return {{"type", "array"}, {"items", reference(route.answer_shape->name)}};
    case Answer::deletion:
      return status_and("deleted", counts({"properties", "snapshots"}));
    case Answer::import:
      return import_schema();
    case Answer::sync:
      return sync_schema();
    case Answer::cleanup:
      return status_and("deleted", counts({"source_snapshots", "target_snapshots"}));
    default:
      return Json::object();
  }
}

bool answers_html(const Route& route) { return route.path == "/" || route.path == "/docs"; }

Json responses(const Route& route) {
  const char* media = answers_html(route) ? "text/html" : "application/json";
  Json good = {{"description", route.summary},
               {"content", object({{media, object({{"schema", answer_schema(route)}})}})}};
  Json problem = {
      {"description", "A problem (RFC 9457)"},
      {"content",
       object({{"application/problem+json", object({{"schema", reference("Problem")}})}})}};
  return {{route.answer == Answer::created ? "201" : "200", good}, {"default", problem}};
}

Json parameters(const Route& route) {
  Json list = Json::array();
  std::string_view path = route.path;
  for (size_t open = path.find('{'); open != std::string_view::npos;
       open = path.find('{', open + 1)) {
    list.push_back({{"name", path.substr(open + 1, path.find('}', open) - open - 1)},
                    {"in", "path"},
                    {"required", true},
                    {"schema", {{"type", "integer"}, {"minimum", 1}}}});
  }
  for (const Parameter& parameter : route.parameters) {
    if (parameter.doc.empty()) continue;
    bool whole = parameter.name == "limit" || parameter.name == "days" ||
                 parameter.name == "source_id" || parameter.name == "target_id";
    list.push_back({{"name", parameter.name},
                    {"in", "query"},
                    {"required", false},
                    {"description", parameter.doc},
                    {"schema", {{"type", whole ? "integer" : "string"}}}});
  }
  return list;
}

std::string operation_id(const Route& route) {
  std::string id;
  for (char c : route.method) id += static_cast<char>(c + 32);
  for (char c : route.path) {
    bool plain = (c >= 'a' && c <= 'z') || c == '_';
    if (plain) id += c;
    if (c == '/' || c == '.') id += '_';
  }
  return id;
}

Json operation(const Route& route) {
  Json operation = {{"operationId", operation_id(route)}, {"summary", route.summary}};
  Json listed = parameters(route);
  if (!listed.empty()) operation["parameters"] = std::move(listed);
  if (route.request_shape != nullptr) {
    Json content =
        object({{"application/json", object({{"schema", reference(route.request_shape->name)}})}});
    if (route.body == BodyRule::import) {
      // A property a line: text, as far as a schema can say.
      content[std::string(kLinesMediaType)] = object({{"schema", object({{"type", "string"}})}});
    }
    operation["requestBody"] = {{"required", true}, {"content", std::move(content)}};
  }
  operation["responses"] = responses(route);
  operation["security"] = Json::array();
  if (route.access == Access::key)
    operation["security"].push_back(object({{"key", Json::array()}}));
  if (route.access == Access::signup) {
    operation["security"] = Json::array({Json::object(), object({{"admin", Json::array()}})});
  }
  return operation;
}

}  // namespace

std::string openapi_document() {
  Json document = {{"openapi", "3.1.0"},
                   {"info",
                    {{"title", "Sync Manager"},
                     {"version", SM_VERSION},
                     {"description",
                      "Keeps property records in step between many sources and many targets, and "
                      "never overwrites "
                      "what a person edited by hand."},
                     {"license", {{"name", "MIT"}, {"identifier", "MIT"}}}}},
                   {"servers", Json::array({object({{"url", "/"}})})},
                   {"paths", Json::object()},
                   {"components",
                    {{"schemas", object({{"Problem", problem_schema()}})},
                     {"securitySchemes",
                      {{"key", {{"type", "apiKey"}, {"in", "header"}, {"name", "X-API-Key"}}},
                       {"admin", {{"type", "http"}, {"scheme", "bearer"}}}}}}}};
  for (const Route& route : routes()) {
    if (route.answer == Answer::file) continue;
    std::string method;
    for (char c : route.method) method += static_cast<char>(c + 32);
    document["paths"][std::string(route.path)][method] = operation(route);
    Json& schemas = document["components"]["schemas"];
    if (route.request_shape != nullptr) {
      schemas[std::string(route.request_shape->name)] =
          shape_schema(*route.request_shape, Use::request);
    }
    if (route.answer_shape != nullptr) {
      schemas[std::string(route.answer_shape->name)] =
          shape_schema(*route.answer_shape, Use::answer);
    }
  }
  return document.dump();
}

}  // namespace sm::api
