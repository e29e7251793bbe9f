#include "core/frame.h"

#include <cstring>
#include <map>
#include <nlohmann/json.hpp>

#include "core/base/check.h"
#include "core/base/encoding.h"
#include "core/base/limits.h"
#include "core/effect_members.h"
#include "core/json/cursor.h"
#include "core/json/writer.h"

namespace sm {
namespace {

using Json = nlohmann::ordered_json;

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
  if (name == "spent") return {ErrorCode::rate_limited, "Too many requests in a short time."};
  if (name == "no_counter")
    return {ErrorCode::not_configured, "This deployment has nothing to count requests with."};
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

  // A pack that several statements name is sent once; it is found without a look at the others.
  size_t section(const Pack& pack) {
    auto [known, added] = packs_.try_emplace(pack.get(), sections_.size());
    if (added) sections_.emplace_back(*pack);
    return known->second;
  }

  std::string finish(std::string_view head) {
    size_t bytes = 4 + head.size();
    for (std::string_view section : sections_) bytes += 4 + section.size();
    std::string frame;
    frame.reserve(bytes);
    append(frame, head);
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
  std::map<const std::string*, size_t> packs_;
};

// Writes one effect as an object, member by member (effect_members.h).
class EffectWriter {
 public:
  EffectWriter(Encoder& frame, std::string& out, std::string_view effect)
      : frame_(frame), json_(out) {
    json_.text("effect", effect);
  }

  void end() { json_.end(); }

  template <typename Integer>
  void integer(const char* name, Integer value) {
    json_.integer(name, static_cast<int64_t>(value));
  }
  void boolean(const char* name, bool value) { json_.boolean(name, value); }
  void text(const char* name, const std::string& text) { json_.text(name, text); }
  void section(const char* name, const std::string& bytes) { integer(name, frame_.section(bytes)); }

  void statements(const char* name, const std::vector<Statement>& statements) {
    json::ListWriter list(json_.key(name));
    for (const Statement& statement : statements) {
      json::ObjectWriter one(list.element());
      one.integer("statement", statement.number);
      json::ListWriter params(one.key("params"));
      for (const Param& param : statement.params) append(params.element(), param);
      params.end();
      one.end();
    }
    list.end();
  }

  void headers(const char* name, const std::vector<Header>& headers) {
    json::ListWriter list(json_.key(name));
    for (const Header& header : headers) {
      json::ListWriter pair(list.element());
      json::append_quoted(pair.element(), header.name);
      json::append_quoted(pair.element(), header.value);
      pair.end();
    }
    list.end();
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
        json_.boolean("stream", true);
        break;
    }
  }

 private:
  void append(std::string& out, const Param& param) {
    if (const auto* integer = std::get_if<int64_t>(&param)) {
      out += std::to_string(*integer);
    } else if (const auto* text = std::get_if<std::string>(&param)) {
      if (text->size() < kInlineTextBytes) return json::append_quoted(out, *text);
      append_section(out, frame_.section(*text));
    } else if (const auto* pack = std::get_if<Pack>(&param)) {
      append_section(out, frame_.section(*pack));
    } else {
      out += "null";
    }
  }

  void append_section(std::string& out, size_t section) {
    json::ObjectWriter(out).integer("section", static_cast<int64_t>(section)).end();
  }

  Encoder& frame_;
  json::ObjectWriter json_;
};

template <typename E>
void append_effect(std::string& out, Encoder& frame, const E& effect) {
  EffectWriter writer(frame, out, EffectMembers<E>::kName);
  EffectMembers<E>::each(writer, effect);
  writer.end();
}

http::Request decode_request(const Json& head) {
  http::Request request;
  request.method = text_member(head, "method");
  request.target = text_member(head, "target");
  request.has_body = member(head, "body").get<bool>();
  request.arrived = member(head, "arrived").get<bool>();
  request.address = text_member(head, "address");
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
  for (const auto& [name, secret] : member(head, "secrets").items()) {
    std::string digest;
    append_from_hex(digest, text_member(secret, "digest"));
    deployment.secrets.push_back(
        {name, static_cast<size_t>(integer_member(secret, "bytes")), std::move(digest)});
  }
  deployment.store_kind = text_member(head, "store");
  return deployment;
}

}  // namespace

StartFrame decode_start(std::string_view frame) {
  Parts parts = split(frame);
  StartFrame start;
  std::string kind = text_member(parts.head, "kind");
  if (kind == "stored_responses") {
    start.kind = StartFrame::Kind::stored_responses;
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
  return frame.finish(json::object([&](json::ObjectWriter& head) {
    json::ListWriter list(head.key("effects"));
    for (const Effect& effect : effects) {
      std::string& out = list.element();
      std::visit([&](const auto& one) { append_effect(out, frame, one); }, effect);
    }
    list.end();
    head.boolean("done", step == StepIs::done);
  }));
}

std::string encode_stored_responses(const std::vector<StoredResponse>& responses) {
  Encoder frame;
  return frame.finish(json::object([&](json::ObjectWriter& head) {
    head.raw("effects", "[]").boolean("done", true);
    json::ObjectWriter named(head.key("stored_responses"));
    for (const StoredResponse& response : responses)
      append_effect(named.key(response.name), frame, response.respond);
    named.end();
  }));
}

}  // namespace sm
