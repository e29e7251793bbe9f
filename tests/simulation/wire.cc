#include "tests/simulation/wire.h"

#include <cstring>

namespace simulation {
namespace {

void append_part(std::string& frame, std::string_view bytes) {
  auto length = static_cast<uint32_t>(bytes.size());
  frame.append(reinterpret_cast<const char*>(&length), sizeof length);
  frame += bytes;
}

// What a host tells of the deployment's secrets. Any digest will do.
Json secrets() {
  return {{"API_KEY_PEPPER", {{"bytes", 32}, {"digest", std::string(128, 'A')}}},
          {"ENCRYPTION_KEY", {{"bytes", 32}, {"digest", ""}}}};
}

}  // namespace

std::string start_frame(const WireRequest& request, const Json& vars, Moment now,
                        std::string_view random) {
  Json head = {{"kind", "request"},
               {"method", request.method},
               {"target", request.target},
               {"body", request.has_body},
               {"arrived", request.arrived},
               {"address", "192.0.2.1"},
               {"time", now},
               {"request_id", "r"},
               {"store", "d1"},
               {"vars", vars},
               {"secrets", secrets()}};
  head["headers"] = Json::array();
  for (const auto& [name, value] : request.headers) {
    head["headers"].push_back(Json::array({name, value}));
  }
  std::string frame;
  append_part(frame, head.dump());
  append_part(frame, random);
  return frame;
}

std::string wake_frame(Moment scheduled, const Json& vars, Moment now, std::string_view random) {
  Json head = {{"kind", "wake"},      {"scheduled_time", scheduled},
               {"time", now},         {"request_id", "r"},
               {"store", "d1"},       {"vars", vars},
               {"secrets", secrets()}};
  std::string frame;
  append_part(frame, head.dump());
  append_part(frame, random);
  return frame;
}

Step::Step(std::string frame) : frame_(std::move(frame)) {
  uint32_t length = 0;
  std::memcpy(&length, frame_.data(), sizeof length);
  head_ = Json::parse(std::string_view(frame_).substr(4, length), nullptr, false);
  for (size_t at = 4 + length; at < frame_.size(); at += 4 + length) {
    std::memcpy(&length, frame_.data() + at, sizeof length);
    sections_.emplace_back(at + 4, length);
  }
}

std::vector<StoreStatement> Step::statements(size_t at) const {
  std::vector<StoreStatement> list;
  auto text = [&](const Json& index) {
    auto [offset, length] = sections_[index.get<size_t>()];
    return std::string_view(frame_).substr(offset, length);
  };
  for (const Json& statement : effect(at)["statements"]) {
    StoreStatement& added =
        list.emplace_back(StoreStatement{statement["statement"].get<size_t>(), {}});
    for (const Json& param : statement["params"]) {
      added.params.push_back(param.is_object() ? Json(std::string(text(param["section"]))) : param);
    }
  }
  return list;
}

std::string_view Step::section(size_t at) const {
  auto index = effect(at).find("section");
  if (index == effect(at).end()) return {};
  auto [offset, length] = sections_[index->get<size_t>()];
  return std::string_view(frame_).substr(offset, length);
}

WireReply reply_ok() { return {Json{{"ok", true}}}; }

WireReply reply_error(const std::string& kind) { return {Json{{"ok", false}, {"error", kind}}}; }

WireReply reply_body(std::string part) {
  WireReply reply{Json{{"ok", true}, {"section", 0}}};
  reply.sections.push_back(std::move(part));
  return reply;
}

WireReply reply_body_end() { return {Json{{"ok", true}, {"end", true}}}; }

WireReply reply_results(StoreOutcome outcome) {
  if (!outcome.error.empty()) return reply_error(outcome.error);
  WireReply reply{Json{{"ok", true}, {"results", Json::array()}}};
  for (StoreResult& result : outcome.results) {
    reply.head["results"].push_back(Json{{"columns", result.columns},
                                         {"rows", result.rows},
                                         {"section", reply.sections.size()},
                                         {"rows_read", 0},
                                         {"rows_written", 0},
                                         {"changes", result.changes}});
    reply.sections.push_back(std::move(result.cells));
  }
  return reply;
}

// Sections are numbered through the whole frame, so those of later replies move up.
std::string resume_frame(Moment now, std::vector<WireReply> replies) {
  Json head = {{"time", now}, {"replies", Json::array()}};
  size_t first = 0;
  for (WireReply& reply : replies) {
    auto move_up = [&](Json& object) {
      auto index = object.find("section");
      if (index != object.end()) *index = index->get<size_t>() + first;
    };
    move_up(reply.head);
    auto results = reply.head.find("results");
    if (results != reply.head.end()) {
      for (Json& result : *results) move_up(result);
    }
    head["replies"].push_back(std::move(reply.head));
    first += reply.sections.size();
  }
  std::string frame;
  append_part(frame, head.dump());
  for (const WireReply& reply : replies) {
    for (const std::string& section : reply.sections) append_part(frame, section);
  }
  return frame;
}

}  // namespace simulation
