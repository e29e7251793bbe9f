#include "core/frame.h"

#include <cstring>
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "core/base/check.h"
#include "core/effect_members.h"

namespace sm {
namespace {

using Json = nlohmann::ordered_json;

// Objects are always named as such: braces around a single pair would make a list of two.

uint32_t read_length(std::string_view frame, size_t position) {
  SM_CHECK(position + 4 <= frame.size());
  uint32_t length;
  std::memcpy(&length, frame.data() + position, 4);
  SM_CHECK(length <= frame.size() - position - 4);
  return length;
}

struct Parts {
  Json head;
  std::vector<std::string_view> sections;

  std::string_view section(const Json& index) const {
    SM_CHECK(index.is_number_unsigned() && index.get<size_t>() < sections.size());
    return sections[index.get<size_t>()];
  }
};

Parts split(std::string_view frame) {
  uint32_t head_length = read_length(frame, 0);
  Parts parts;
  parts.head = Json::parse(frame.substr(4, head_length), nullptr, false);
  SM_CHECK(parts.head.is_object());
  for (size_t position = 4 + head_length; position < frame.size();) {
    uint32_t length = read_length(frame, position);
    parts.sections.push_back(frame.substr(position + 4, length));
    position += 4 + length;
  }
  return parts;
}

const Json& member(const Json& object, const char* name) {
  auto found = object.find(name);
  SM_CHECK(found != object.end());
  return *found;
}

std::string text_member(const Json& object, const char* name) {
  const Json& value = member(object, name);
  SM_CHECK(value.is_string());
  return value.get<std::string>();
}

int64_t integer_member(const Json& object, const char* name) {
  const Json& value = member(object, name);
  SM_CHECK(value.is_number());
  return value.get<int64_t>();
}

Error error_of(const std::string& kind) {
  constexpr const char* kUnavailable = "The store does not answer. Nothing was changed; try again.";
  constexpr const char* kOverloaded = "The service is overloaded. Nothing was changed; try again.";
  constexpr const char* kUnknown =
      "The connection to the store was lost; what was asked may have happened. Look before you try "
      "again.";
  size_t colon = kind.find(':');
  std::string name = kind.substr(0, colon);
  std::string detail = colon == std::string::npos ? std::string() : kind.substr(colon + 1);
  if (name == "unavailable") return {ErrorCode::unavailable, kUnavailable};
  if (name == "overloaded") return {ErrorCode::overloaded, kOverloaded};
  if (name == "unknown_outcome") return {ErrorCode::unknown_outcome, kUnknown};
  if (name == "guard") return {ErrorCode::guard, detail};
  if (name == "unique") return {ErrorCode::unique, detail};
  if (name == "refused") return {ErrorCode::refused, "The store refused a statement of ours."};
  if (name == "cut_off") return {ErrorCode::cut_off, "The body ended before its announced length."};
  if (name == "cancelled") return {ErrorCode::cancelled, "The client left before the answer."};
  SM_CHECK(name == "no_key");
  return {ErrorCode::not_configured,
          "This deployment has no ENCRYPTION_KEY to seal secrets with: set it first."};
}

RawResult decode_result(const Json& json, const Parts& parts, const FrameBytes& frame) {
  RawResult result;
  result.columns = member(json, "columns").size();
  result.rows = static_cast<size_t>(integer_member(json, "rows"));
  result.changes = integer_member(json, "changes");
  result.cells = parts.section(member(json, "section"));
  result.owner = frame;
  return result;
}

Reply decode_reply(const Json& json, const Parts& parts, const FrameBytes& frame) {
  Reply reply;
  reply.owner = frame;
  if (!member(json, "ok").get<bool>()) {
    reply.error = error_of(text_member(json, "error"));
    return reply;
  }
  if (auto results = json.find("results"); results != json.end()) {
    for (const Json& result : *results)
      reply.results.push_back(decode_result(result, parts, frame));
  }
  if (auto section = json.find("section"); section != json.end())
    reply.bytes = parts.section(*section);
  if (auto end = json.find("end"); end != json.end()) reply.end = end->get<bool>();
  if (json.contains("sealed")) {
    reply.sealed = text_member(json, "sealed");
    reply.key_id = text_member(json, "key_id");
  }
  return reply;
}

// Collects sections while heads are written; texts are looked at again when the frame is put
// together.
class Encoder {
 public:
  size_t section(std::string_view bytes) {
    sections_.push_back(bytes);
    return sections_.size() - 1;
  }

  // A pack that several statements name is sent once.
  size_t section(const Pack& pack) {
    auto [known, added] = packs_.try_emplace(pack.get(), sections_.size());
    if (added) sections_.emplace_back(*pack);
    return known->second;
  }

  std::string finish(const Json& head) {
    std::string text = head.dump(-1, ' ', false, Json::error_handler_t::replace);
    size_t bytes = 4 + text.size();
    for (std::string_view section : sections_) bytes += 4 + section.size();
    std::string frame;
    frame.reserve(bytes);
    append(frame, text);
    for (std::string_view section : sections_) append(frame, section);
    return frame;
  }

 private:
  static void append(std::string& frame, std::string_view bytes) {
    auto length = static_cast<uint32_t>(bytes.size());
    frame.append(reinterpret_cast<const char*>(&length), 4);
    frame += bytes;
  }

  std::vector<std::string_view> sections_;
  std::unordered_map<const std::string*, size_t> packs_;
};

// Writes the members of one effect (effect_members.h).
class EffectWriter {
 public:
  EffectWriter(Encoder& frame, const char* effect)
      : frame_(frame), json_(Json::object({{"effect", effect}})) {}

  Json take() { return std::move(json_); }

  template <typename Integer>
  void integer(const char* name, Integer value) {
    json_[name] = value;
  }
  void text(const char* name, const std::string& text) { json_[name] = text; }
  void section(const char* name, const std::string& bytes) { json_[name] = frame_.section(bytes); }

  void statements(const char* name, const std::vector<Statement>& statements) {
    Json list = Json::array();
    for (const Statement& statement : statements) {
      Json params = Json::array();
      for (const Param& param : statement.params) params.push_back(encode(param));
      list.push_back(
          Json::object({{"statement", statement.number}, {"params", std::move(params)}}));
    }
    json_[name] = std::move(list);
  }

  void headers(const char* name, const std::vector<Header>& headers) {
    Json list = Json::array();
    for (const Header& header : headers) list.push_back(Json::array({header.name, header.value}));
    json_[name] = std::move(list);
  }

  void body(Respond::Body body, const std::string& content) {
    switch (body) {
      case Respond::Body::none:
        break;
      case Respond::Body::bytes:
        section("section", content);
        break;
      case Respond::Body::asset:
        text("asset", content);
        break;
      case Respond::Body::stream:
        json_["stream"] = true;
        break;
    }
  }

 private:
  Json encode(const Param& param) {
    if (const auto* integer = std::get_if<int64_t>(&param)) return *integer;
    if (const auto* text = std::get_if<std::string>(&param)) return *text;
    if (const auto* pack = std::get_if<Pack>(&param))
      return Json::object({{"section", frame_.section(*pack)}});
    return nullptr;
  }

  Encoder& frame_;
  Json json_;
};

template <typename E>
Json encode_effect(Encoder& frame, const E& effect) {
  EffectWriter writer(frame, EffectMembers<E>::kName);
  EffectMembers<E>::each(writer, effect);
  return writer.take();
}

http::Request decode_request(const Json& head) {
  http::Request request;
  request.method = text_member(head, "method");
  request.target = text_member(head, "target");
  request.has_body = member(head, "body").get<bool>();
  for (const Json& header : member(head, "headers")) {
    request.headers.push_back({header[0].get<std::string>(), header[1].get<std::string>()});
  }
  return request;
}

Deployment decode_deployment(const Json& head) {
  Deployment deployment;
  for (const auto& [name, value] : member(head, "vars").items()) {
    deployment.vars.emplace(name, value.get<std::string>());
  }
  deployment.store_kind = text_member(head, "store");
  deployment.sealing = member(head, "sealing").get<bool>();
  return deployment;
}

}  // namespace

StartFrame decode_start(std::string_view frame) {
  Parts parts = split(frame);
  StartFrame start;
  std::string kind = text_member(parts.head, "kind");
  if (kind == "answers") {
    start.kind = StartFrame::Kind::answers;
    return start;
  }
  start.deployment = decode_deployment(parts.head);
  start.time = {integer_member(parts.head, "time")};
  SM_CHECK(!parts.sections.empty());
  start.random = parts.sections[0];
  if (kind == "wake") {
    start.kind = StartFrame::Kind::wake;
    start.scheduled = {integer_member(parts.head, "scheduled_time")};
    return start;
  }
  SM_CHECK(kind == "request");
  start.request = decode_request(parts.head);
  return start;
}

ResumeFrame decode_resume(const FrameBytes& frame) {
  Parts parts = split(*frame);
  ResumeFrame resume;
  resume.time = {integer_member(parts.head, "time")};
  for (const Json& reply : member(parts.head, "replies")) {
    resume.replies.push_back(decode_reply(reply, parts, frame));
  }
  return resume;
}

std::string encode_step(const std::vector<Effect>& effects, StepIs step) {
  Encoder frame;
  Json list = Json::array();
  for (const Effect& effect : effects) {
    list.push_back(std::visit([&](const auto& one) { return encode_effect(frame, one); }, effect));
  }
  return frame.finish(Json::object({{"effects", std::move(list)}, {"done", step == StepIs::done}}));
}

std::string encode_answers(const std::vector<NamedAnswer>& answers) {
  Encoder frame;
  Json named = Json::object();
  for (const NamedAnswer& answer : answers)
    named[answer.name] = encode_effect(frame, answer.respond);
  return frame.finish(
      Json::object({{"effects", Json::array()}, {"done", true}, {"answers", std::move(named)}}));
}

}  // namespace sm
