// Answers: what handlers give back, and the problem document that every error becomes (RFC 9457).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/base/effect.h"
#include "core/base/error.h"
#include "core/base/result.h"
#include "core/base/task.h"

namespace sm::http {

struct Response {
  // `streamed`: status and body are on their way already; `end` or `abort` is what is left to do.
  enum class Form { complete, streamed_whole, streamed_broken };
  Form form = Form::complete;
  Respond respond = {};
  // Work that goes on behind the answer. Hosts give it some time (30 s in a Worker), and
  // nobody waits for it: what must not be lost stands in the store before the answer is sent.
  std::optional<Task<Result<Unit>>> afterwards = {};
};

// May be kept by the client, but is asked for again (entity tags make that cheap).
Response content(int status, std::string_view media_type, std::string body);
Response json(int status, std::string body);
// Shown once: no cache keeps it.
Response json_unstored(int status, std::string body);
Response no_content(int status);
// A static file of host/public or of a library, under its path there.
Response asset(std::string path, std::string content_type);

// Problem details: type, title, status, detail and errors; nothing in it varies by request. 503
// says when to try again.
// `more` are members of its own that a problem has beside those.
struct ProblemMember {
  std::string name;
  std::string json;
};
Response problem(const Error& error, const std::vector<ProblemMember>& more = {});

Response with_header(Response response, std::string name, std::string value);

}  // namespace sm::http
