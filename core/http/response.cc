#include "core/http/response.h"

#include <nlohmann/json.hpp>

namespace sm::http {
namespace {

// A store that is overloaded or locked mostly recovers within seconds.
constexpr const char* kRetryAfterSeconds = "2";

}  // namespace

Response content(int status, std::string_view media_type, std::string body) {
  return {Response::Form::complete,
          {status,
           {{"content-type", std::string(media_type)}, {"cache-control", "private, no-cache"}},
           Respond::Body::bytes,
           std::move(body)}};
}

Response json(int status, std::string body) {
  // No part of the value: the next prompt of a terminal stands on a line of its own.
  if (!body.empty()) body += '\n';
  return content(status, "application/json", std::move(body));
}

Response json_unstored(int status, std::string body) {
  Response response = json(status, std::move(body));
  response.respond.headers[1].value = "no-store";
  return response;
}

Response no_content(int status) {
  return {Response::Form::complete, {status, {}, Respond::Body::none, {}}};
}

Response asset(std::string path, std::string content_type) {
  return {Response::Form::complete,
          {200,
           {{"content-type", std::move(content_type)},
            {"cache-control", "no-cache"},
            {"x-content-type-options", "nosniff"},
            {"content-security-policy",
             "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; "
             "frame-ancestors 'none'"}},
           Respond::Body::asset,
           std::move(path)}};
}

namespace {

// Guards and rules of uniqueness carry names of columns, which are for flows.
std::string_view shown_detail(const Error& error) {
  if (error.code == ErrorCode::guard) {
    return "Others changed the same rows in the meantime, again and again. Nothing was changed: "
           "send the request again.";
  }
  if (error.code == ErrorCode::unique) return "There is such a row already.";
  return error.detail;
}

}  // namespace

Response problem(const Error& error, const std::vector<ProblemMember>& more) {
  const ErrorInfo& info = error_info(error.code);
  nlohmann::ordered_json body = {{"type", "urn:sync-manager:problem:" + std::string(info.type)},
                                 {"title", info.title},
                                 {"status", info.status},
                                 {"detail", shown_detail(error)}};
  if (!error.fields.empty()) {
    auto& errors = body["errors"] = nlohmann::ordered_json::array();
    for (const FieldError& field : error.fields) {
      const char* where = field.in == FieldError::In::body ? "pointer" : "parameter";
      errors.push_back(
          nlohmann::ordered_json::object({{where, field.where}, {"detail", field.detail}}));
    }
  }
  for (const ProblemMember& member : more) {
    body[member.name] = nlohmann::ordered_json::parse(member.json);
  }
  Response response = json(info.status, body.dump());
  response.respond.headers[0].value = "application/problem+json";
  if (info.status == 503)
    return with_header(std::move(response), "retry-after", kRetryAfterSeconds);
  if (info.status == 401) {
    return with_header(std::move(response), "www-authenticate", "ApiKey header=\"X-API-Key\"");
  }
  return response;
}

Response with_header(Response response, std::string name, std::string value) {
  response.respond.headers.push_back({std::move(name), std::move(value)});
  return response;
}

}  // namespace sm::http
