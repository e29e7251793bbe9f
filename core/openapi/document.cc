#include "core/openapi/document.h"

#include <algorithm>
#include <map>

#include "core/api/route.h"
#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/http/response.h"
#include "core/json/canonical.h"
#include "core/openapi/schemas.h"

namespace sm::openapi {
namespace {

using api::Access;
using api::Body;
using api::kJsonMediaType;
using api::Parameter;
using api::ResponseShape;
using api::Route;
using api::routes;
using api::Success;

// Braces around a single pair would make a list of two, so objects are named.
Json object(Json::initializer_list_t members) { return Json::object(members); }

std::string lower(std::string_view text) {
  std::string lowered;
  for (char c : text) lowered += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return lowered;
}

constexpr std::string_view kProblemMediaType = "application/problem+json";

bool may_have_body(const Route& route) { return route.method != "GET"; }
bool tells_state(const Route& route) { return route.success->state == Success::State::etag; }
bool takes_if_none_match(const Route& route) { return tells_state(route) && route.method == "GET"; }
bool takes_if_match(const Route& route) { return tells_state(route) && route.method == "PATCH"; }

// What can go wrong with a request of the route. Several codes may have one status.
std::vector<ErrorCode> problems_of(const Route& route) {
  std::vector<ErrorCode> codes;
  auto add = [&](bool possible, ErrorCode code) {
    if (possible) codes.push_back(code);
  };
  bool is_open = route.access == Access::open;
  add(may_have_body(route), ErrorCode::malformed);
  add(may_have_body(route), ErrorCode::cut_off);
  add(route.access == Access::key, ErrorCode::unauthorized);
  add(!is_open && route.access != Access::key, ErrorCode::not_administrator);
  add(route.access == Access::key, ErrorCode::forbidden);
  add(route.access == Access::key && (route.method == "POST" || route.method == "PATCH"),
      ErrorCode::quota_exceeded);
  add(route.parent != flow::Parent::none, ErrorCode::not_found);
  add(!route.conflict->empty(), ErrorCode::conflict);
  add(takes_if_match(route), ErrorCode::precondition_failed);
  add(may_have_body(route), ErrorCode::too_large);
  add(may_have_body(route), ErrorCode::unsupported_media);
  add(!is_open, ErrorCode::invalid);
  add(!is_open, ErrorCode::rate_limited);
  add(true, ErrorCode::internal);
  // The host refuses what it has no room for, whatever the path.
  add(true, ErrorCode::overloaded);
  add(!is_open, ErrorCode::unavailable);
  add(!is_open, ErrorCode::not_configured);
  add(may_have_body(route), ErrorCode::unknown_outcome);
  add(may_have_body(route), ErrorCode::guard);
  return codes;
}

std::string problem_name(const ErrorInfo& info) { return "Problem" + std::to_string(info.status); }

Json text_header(std::string_view doc) {
  return {{"description", doc}, {"schema", object({{"type", "string"}})}};
}

std::string titles(const Json& examples) {
  std::string all;
  for (const Json& example : examples) {
    all += (all.empty() ? "" : ". ") + example["summary"].get<std::string>();
  }
  return all;
}

constexpr const char* kAnyDetail = "What happened, and what to change.";

// Every problem that some route can have, by its status. Those of one status are its examples.
Json problem_responses() {
  Json responses = Json::object();
  for (const Route& route : routes()) {
    for (ErrorCode code : problems_of(route)) {
      const ErrorInfo& info = error_info(code);
      Json& response = responses[problem_name(info)];
      Json& content = response["content"][kProblemMediaType];
      content["schema"] = reference("Problem");
      content["examples"][info.type] = {
          {"summary", info.title},
          {"value", Json::parse(http::problem({code, kAnyDetail}).respond.content)}};
      response["description"] = titles(content["examples"]);
      if (code == ErrorCode::rate_limited) {
        response["headers"]["RateLimit-Policy"] =
            text_header("How many (q) in how many seconds (w).");
        response["headers"]["RateLimit"] = text_header("What is left of it, until when.");
      }
      if (info.status == 503 || code == ErrorCode::rate_limited) {
        response["headers"]["Retry-After"] = text_header("Seconds until another try makes sense.");
      }
      if (info.status == 401) {
        response["headers"]["WWW-Authenticate"] = text_header("What is asked for.");
      }
    }
  }
  return responses;
}

Json answer_content(const Route& route) {
  const ResponseShape* shape = route.success->shape;
  switch (route.success->form) {
    case Success::Form::object: {
      Json schema = shape == nullptr ? object({{"type", "object"}}) : reference(shape->name);
      return object({{kJsonMediaType, object({{"schema", std::move(schema)}})}});
    }
    case Success::Form::list: {
      Json schema = {{"type", "array"}, {"items", reference(shape->name)}};
      return object({{kJsonMediaType, object({{"schema", std::move(schema)}})}});
    }
    case Success::Form::page:
    case Success::Form::file:
      return object({{"text/html", object({{"schema", object({{"type", "string"}})}})}});
  }
  return {};
}

Json responses(const Route& route) {
  Json good = object({{"description", *route.summary}});
  if (tells_state(route)) {
    good["headers"]["ETag"] = text_header("Names this state (RFC 9110).");
  }
  if (route.success->form == Success::Form::list) {
    good["headers"]["Link"] =
        text_header("The next page, where a limit was given and there is one (RFC 8288).");
  }
  if (route.success->status == 201) {
    good["headers"]["Location"] = text_header("The path of what was created.");
  }
  good["content"] = answer_content(route);
  // By status, as a reader in JavaScript has them in any case: it sorts keys that are numbers.
  std::map<std::string, Json> all;
  if (route.success->other_status != 0) all[std::to_string(route.success->other_status)] = good;
  all[std::to_string(route.success->status)] = std::move(good);
  if (takes_if_none_match(route)) {
    all["304"] = object({{"description", "Nothing has changed since the state that was named."}});
  }
  for (ErrorCode code : problems_of(route)) {
    const ErrorInfo& info = error_info(code);
    Json& response = all[std::to_string(info.status)];
    // An answer of the route's own that has this status may be a problem as well.
    if (response.contains("content")) {
      response["content"][kProblemMediaType]["schema"] = reference("Problem");
      continue;
    }
    response["$ref"] = "#/components/responses/" + problem_name(info);
    if (code == ErrorCode::conflict) response["description"] = *route.conflict;
  }
  return Json(all);
}

Json header_parameter(std::string_view name, std::string_view doc) {
  return {{"name", name},
          {"in", "header"},
          {"required", false},
          {"description", doc},
          {"schema", object({{"type", "string"}})}};
}

Json parameters(const Route& route) {
  Json list = Json::array();
  std::string_view path = route.path;
  for (size_t open = path.find('{'); open != std::string_view::npos;
       open = path.find('{', open + 1)) {
    list.push_back({{"name", path.substr(open + 1, path.find('}', open) - open - 1)},
                    {"in", "path"},
                    {"required", true},
                    {"schema", {{"type", "integer"}, {"minimum", 1}, {"maximum", api::kMaxId}}}});
  }
  for (const Parameter& parameter : route.parameters) {
    list.push_back({{"name", parameter.name},
                    {"in", "query"},
                    {"required", false},
                    {"description", *parameter.doc},
                    {"schema", parameter_schema(parameter)}});
  }
  if (takes_if_none_match(route)) {
    list.push_back(header_parameter("If-None-Match", "An ETag: 304 where it is still the state."));
  }
  if (takes_if_match(route)) {
    list.push_back(header_parameter("If-Match", "An ETag: 412 where it is no longer the state."));
  }
  return list;
}

Json request_body(const Route& route) {
  const Body& body = route.body;
  Json media = {{"schema", reference(*body.shape->name)},
                {"example", Json::parse(*body.shape->example)}};
  Json content = object({{kJsonMediaType, media}});
  if (!body.media_type.empty()) {
    // Lines are text, as far as a schema can say.
    Json lines = {{"schema", object({{"type", "string"}})}, {"example", *body.media_example}};
    content[std::string(body.media_type)] = body.media_example->empty() ? media : lines;
  }
  return {{"required", body.reading != Body::Reading::optional},
          {"description", "At most " + std::to_string(body.limit) + " bytes."},
          {"content", std::move(content)}};
}

std::string operation_id(const Route& route) {
  std::string id = lower(route.method);
  for (char c : route.path) {
    bool plain = (c >= 'a' && c <= 'z') || c == '_';
    if (plain) id += c;
    if (c == '/' || c == '.') id += '_';
  }
  return id;
}

Json security(const Route& route) {
  switch (route.access) {
    case Access::open:
      return Json::array();
    case Access::key:
      return Json::array({object({{"key", Json::array()}})});
    case Access::signup:
      return Json::array({Json::object(), object({{"admin", Json::array()}})});
    case Access::administrator:
      return Json::array({object({{"admin", Json::array()}})});
  }
  return {};
}

Json operation(const Route& route) {
  Json operation = {{"operationId", operation_id(route)},
                    {"tags", Json::array({*route.tag})},
                    {"summary", *route.summary}};
  Json listed = parameters(route);
  if (!listed.empty()) operation["parameters"] = std::move(listed);
  if (route.body.shape != nullptr) operation["requestBody"] = request_body(route);
  operation["responses"] = responses(route);
  operation["security"] = security(route);
  return operation;
}

std::string description() {
  return "Keeps property records in step between many sources and many targets, and never "
         "overwrites what a person edited by hand.\n\n"
         "Bodies are JSON, also without a Content-Type or with curl's "
         "application/x-www-form-urlencoded. Where none is listed, nothing or {} is taken. JSON "
         "may be " +
         std::to_string(json::kMaxDepth) + " levels deep, a property have " +
         std::to_string(json::kMaxPropertyBytes) + " bytes, a configuration " +
         std::to_string(kMaxSecrets) + " secrets, a query " + std::to_string(kMaxQueryBytes) +
         " bytes. Every GET answers to HEAD, too. Each answer has an X-Request-Id.";
}

}  // namespace

Json document() {
  Json document = {{"openapi", "3.1.0"},
                   {"info",
                    {{"title", "Sync Manager"},
                     {"version", SM_VERSION},
                     {"description", description()},
                     {"license", {{"name", "MIT"}, {"identifier", "MIT"}}}}},
                   {"servers", Json::array({object({{"url", "/"}})})},
                   {"tags", Json::array()},
                   {"paths", Json::object()},
                   {"components",
                    {{"schemas", Json::object()},
                     {"responses", problem_responses()},
                     {"securitySchemes",
                      {{"key", {{"type", "apiKey"}, {"in", "header"}, {"name", "X-API-Key"}}},
                       {"admin", {{"type", "http"}, {"scheme", "bearer"}}}}}}}};
  Json& schemas = document["components"]["schemas"];
  add_problem_schema(schemas);
  for (const Route& route : routes()) {
    if (route.success->form == Success::Form::file) continue;
    Json tag = object({{"name", *route.tag}});
    Json& tags = document["tags"];
    if (std::find(tags.begin(), tags.end(), tag) == tags.end()) tags.push_back(tag);
    document["paths"][std::string(route.path)][lower(route.method)] = operation(route);
    if (route.body.shape != nullptr) add_schema(schemas, *route.body.shape);
    if (route.success->shape != nullptr) add_schema(schemas, *route.success->shape);
  }
  return document;
}

}  // namespace sm::openapi
