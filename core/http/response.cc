#include "core/http/response.h"

#include "core/json/writer.h"

namespace sm::http {
namespace {

// A store that is overloaded or locked mostly recovers within seconds.
constexpr const char* kRetryAfterSeconds = "2";

}  // namespace

Response content(int status, std::string_view media_type, std::string body) {
  return {Response::Form::complete,
          {status,
           {{"content-type", std::string(media_type)},
            {"cache-control", "private, no-cache"},
            {"vary", "x-api-key, authorization"}},
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
            {"content-security-policy",
             "default-src 'none'; script-src 'self'; connect-src 'self'; img-src 'self' data:; "
             "style-src 'self' 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
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

void append_fields(std::string& out, const FieldErrors& fields) {
  json::ListWriter list(out);
  for (const FieldError& field : fields.kept()) {
    json::ObjectWriter(list.element())
        .text(field.in == FieldError::In::body ? "pointer" : "parameter", field.where)
        .text("detail", field.detail)
        .end();
  }
  list.end();
}

// The fields of draft-ietf-httpapi-ratelimit-headers.
Response with_rate(Response response, const Spent& rate) {
  std::string name = '"' + rate.name + '"';
  std::string wait = std::to_string(rate.wait_s);
  response = with_header(std::move(response), "retry-after", wait);
  response = with_header(
      std::move(response), "ratelimit-policy",
      name + ";q=" + std::to_string(rate.limit) + ";w=" + std::to_string(rate.window_s));
  return with_header(std::move(response), "ratelimit", name + ";r=0;t=" + wait);
}

}  // namespace

Response problem(const Error& error, const std::vector<ProblemMember>& more) {
  const ErrorInfo& info = error_info(error.code);
  std::string body = json::object([&](json::ObjectWriter& problem) {
    problem.text("type", "urn:sync-manager:problem:" + std::string(info.type))
        .text("title", info.title)
        .integer("status", info.status)
        .text("detail", shown_detail(error));
    if (!error.fields.empty()) append_fields(problem.key("errors"), error.fields);
    if (error.spent && error.code == ErrorCode::quota_exceeded) {
      json::ObjectWriter(problem.key("quota"))
          .text("name", error.spent->name)
          .integer("limit", error.spent->limit)
          .integer("used", error.spent->used)
          .end();
    }
    for (const ProblemMember& member : more) problem.raw(member.name, member.json);
  });
  Response response = json(info.status, std::move(body));
  response.respond.headers[0].value = "application/problem+json";
  if (error.spent && error.code == ErrorCode::rate_limited)
    return with_rate(std::move(response), *error.spent);
  if (info.status == 503)
    return with_header(std::move(response), "retry-after", kRetryAfterSeconds);
  if (error.code == ErrorCode::unauthorized)
    return with_header(std::move(response), "www-authenticate", "ApiKey header=\"X-API-Key\"");
  if (error.code == ErrorCode::not_administrator)
    return with_header(std::move(response), "www-authenticate", "Bearer");
  return response;
}

Response with_header(Response response, std::string name, std::string value) {
  response.respond.headers.push_back({std::move(name), std::move(value)});
  return response;
}

}  // namespace sm::http
