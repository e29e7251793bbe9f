// Compares answers with what the model expects.
#include <algorithm>

#include "tests/simulation/world.h"

namespace simulation {
namespace {

// An object `{"$text": [begin, parts…]}` stands for any text that begins so and has the parts.
std::string compare_open_text(const Json& parts, const Json& found, const std::string& at) {
  if (!found.is_string()) return at + ": expected a text, found " + found.dump();
  const auto& text = found.get_ref<const std::string&>();
  bool fits = text.starts_with(parts[0].get_ref<const std::string&>());
  for (const Json& part : parts) {
    fits = fits && text.find(part.get_ref<const std::string&>()) != std::string::npos;
  }
  return fits ? "" : at + ": expected " + parts.dump() + ", found " + text;
}

std::string compare(const Json& expected, const Json& found, const std::string& at) {
  if (expected.is_object() && expected.contains("$text")) {
    return compare_open_text(expected["$text"], found, at);
  }
  auto differs = [&] { return at + ": expected " + expected.dump() + ", found " + found.dump(); };
  if (expected.is_object() && found.is_object()) {
    if (expected.size() != found.size()) return differs();
    for (auto member = expected.begin(); member != expected.end(); ++member) {
      if (!found.contains(member.key())) return at + ": " + member.key() + " is missing";
      std::string inner = compare(*member, found[member.key()], at + "/" + member.key());
      if (!inner.empty()) return inner;
    }
    return {};
  }
  if (expected.is_array() && found.is_array()) {
    if (expected.size() != found.size()) return differs();
    for (size_t i = 0; i < expected.size(); ++i) {
      std::string inner = compare(expected[i], found[i], at + "/" + std::to_string(i));
      if (!inner.empty()) return inner;
    }
    return {};
  }
  // Texts and numbers; 1 and 1.0 are the same.
  bool same = expected == found || canonical(expected) == canonical(found);
  return same ? "" : differs();
}

std::string compare_problem(const Json& body, const Response& response) {
  bool fits = response.header("content-type") == "application/problem+json" && body.is_object() &&
              body.value("status", 0) == response.status && body.value("title", "") != "" &&
              body.value("detail", "") != "" && body.contains("type");
  if (!fits) return "no problem document: " + response.body;
  return {};
}

}  // namespace

std::string compare_row(const Json& expected, const Json& found) {
  return compare(expected, found, "row");
}

std::string compare_answer(const Outcome& expected, const Response& response) {
  if (expected.status != response.status) {
    return "expected status " + std::to_string(expected.status) + ", found " +
           std::to_string(response.status) + " " + response.body;
  }
  if (response.broken) return "the answer was cut off";
  Json body = Json::parse(response.body, nullptr, false);
  if (body.is_discarded()) return "the answer is no JSON: " + response.body;
  if (response.status >= 400) return compare_problem(body, response);
  bool has_next = response.header("link").find("rel=\"next\"") != std::string::npos;
  if (expected.has_next != has_next) return "link to the next page: " + response.header("link");
  return compare(expected.body, body, "answer");
}

}  // namespace simulation
