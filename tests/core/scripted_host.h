// A host made of a script: it drives a Machine with frames, as a real one does, and answers each
// step as a test says. It has memory for all who ask.
#pragma once

#include <algorithm>
#include <cstring>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/machine.h"
#include "core/store/statement_table.h"

namespace sm {

using Json = nlohmann::ordered_json;

inline void append_section(std::string& frame, std::string_view bytes) {
  auto length = static_cast<uint32_t>(bytes.size());
  frame.append(reinterpret_cast<const char*>(&length), 4);
  frame += bytes;
}

struct Step {
  Json head;
  std::vector<std::string> sections;

  std::string effect(size_t at = 0) const {
    return head["effects"][at]["effect"].get<std::string>();
  }
  uint32_t statement(size_t at) const {
    return head["effects"][0]["statements"][at]["statement"].get<uint32_t>();
  }
  std::string_view name(size_t at) const {
    return store::kSqliteStatements.statements[statement(at)].name;
  }
  size_t statements() const { return head["effects"][0]["statements"].size(); }
  const Json& params(size_t statement) const {
    return head["effects"][0]["statements"][statement]["params"];
  }
  bool done() const { return head["done"].get<bool>(); }
  int status() const { return head["effects"][0]["status"].get<int>(); }
  std::string body() const { return sections[head["effects"][0]["section"].get<size_t>()]; }
  // "none" where the answer lacks it.
  std::string header(const std::string& name) const {
    for (const Json& header : head["effects"][0]["headers"]) {
      if (header[0].get<std::string>() == name) return header[1].get<std::string>();
    }
    return "none";
  }
};

using Cells = std::vector<std::vector<Json>>;

// What the store has of a key that is good, and needs no word of its use.
inline const Cells kGoodKey = {{7, nullptr, "full", 1'000'000}};

// One reply to one effect: its head, and the section that goes with it.
struct ScriptedReply {
  Json head;
  std::vector<std::string> sections;
};

inline ScriptedReply fails(const std::string& kind) {
  return {Json::object({{"ok", false}, {"error", kind}}), {}};
}
inline ScriptedReply ok() { return {Json::object({{"ok", true}}), {}}; }
inline ScriptedReply body_part(std::string bytes) {
  return {Json::object({{"ok", true}, {"section", 0}}), {std::move(bytes)}};
}
inline ScriptedReply body_end() { return {Json::object({{"ok", true}, {"end", true}}), {}}; }

inline std::string encode_cells(const Cells& rows) {
  std::string cells;
  for (const auto& row : rows) {
    for (const Json& cell : row) {
      if (cell.is_null()) {
        cells += '\0';
      } else if (cell.is_number_integer()) {
        cells += '\1';
        auto value = cell.get<int64_t>();
        cells.append(reinterpret_cast<const char*>(&value), 8);
      } else {
        cells += '\3';
        append_section(cells, cell.get<std::string>());
      }
    }
  }
  return cells;
}

inline ScriptedReply rows(const std::vector<Cells>& results) {
  ScriptedReply answer{Json::object({{"ok", true}, {"results", Json::array()}}), {}};
  for (const Cells& result : results) {
    Json columns = Json::array();
    for (size_t i = 0; !result.empty() && i < result[0].size(); ++i)
      columns.push_back("c" + std::to_string(i));
    answer.head["results"].push_back(Json::object({{"columns", columns},
                                                   {"rows", result.size()},
                                                   {"section", answer.sections.size()},
                                                   {"rows_read", 0},
                                                   {"rows_written", 0},
                                                   {"changes", 0}}));
    answer.sections.push_back(encode_cells(result));
  }
  return answer;
}

class ScriptedHost {
 public:
  // What its clock shows at the start of an invocation.
  static constexpr int64_t kNowMs = 1768473000000;

  Step start(const std::string& method, const std::string& target, bool has_body = false,
             const std::string& key = std::string(40, 'k')) {
    return start_with(method, target, has_body, Json::array({Json::array({"x-api-key", key})}));
  }

  Step start_with(const std::string& method, const std::string& target, bool has_body,
                  const Json& headers) {
    return start_frame({{"kind", "request"},
                        {"method", method},
                        {"target", target},
                        {"headers", headers},
                        {"body", has_body},
                        {"arrived", arrived_},
                        {"address", address_}});
  }

  Step wake(int64_t scheduled_ms = kNowMs) {
    return start_frame({{"kind", "wake"}, {"scheduled_time", scheduled_ms}});
  }

  Step resume(const ScriptedReply& answer) { return resume(answer, 1); }

  // The same reply to each of several effects.
  Step resume(const ScriptedReply& answer, size_t effects) {
    Json head = {{"time", kNowMs + 1}, {"replies", Json::array()}};
    for (size_t i = 0; i < effects; ++i) head["replies"].push_back(answer.head);
    std::string frame;
    append_section(frame, head.dump());
    for (const std::string& section : answer.sections) append_section(frame, section);
    return with_memory(parse(machine_.resume(frame)));
  }

  // What was reserved by one invocation at most.
  uint64_t reserved_bytes() const { return reserved_bytes_; }

  void close() { machine_.close(); }

  // A variable of the deployment, from the next start on.
  void set_var(const std::string& name, const std::string& value) { vars_[name] = value; }
  // The next requests come before all of their bodies.
  void send_bodies_late() { arrived_ = false; }
  // Where the next requests come from.
  void set_address(const std::string& address) { address_ = address; }
  // A secret of so many bytes, with its digest in hexadecimal capitals; of none: there is none.
  void set_secret(const std::string& name, size_t bytes, const std::string& digest = "") {
    secrets_[name] = {{"bytes", bytes}, {"digest", digest}};
    if (bytes == 0) secrets_.erase(name);
  }

 private:
  Step start_frame(Json head) {
    head.update({{"time", kNowMs},
                 {"request_id", "r"},
                 {"store", "scripted"},
                 {"vars", vars_},
                 {"secrets", secrets_}});
    std::string frame;
    append_section(frame, head.dump());
    append_section(frame, std::string(64, '\7'));
    reserved_bytes_ = 0;
    return with_memory(parse(machine_.start(frame)));
  }

  Step with_memory(Step step) {
    if (step.head["effects"].empty() || step.effect() != "reserve_memory") return step;
    reserved_bytes_ = std::max(reserved_bytes_, step.head["effects"][0]["bytes"].get<uint64_t>());
    return resume(ok());
  }

  static Step parse(const std::string& frame) {
    Step step;
    uint32_t length = 0;
    std::memcpy(&length, frame.data(), 4);
    step.head = Json::parse(frame.substr(4, length), nullptr, false);
    for (size_t at = 4 + length; at < frame.size(); at += 4 + length) {
      std::memcpy(&length, frame.data() + at, 4);
      step.sections.push_back(frame.substr(at + 4, length));
    }
    return step;
  }

  Machine machine_;
  uint64_t reserved_bytes_ = 0;
  // Requests are counted where a test asks for it: that is a step more.
  Json vars_ = {{"MAX_REQUESTS_PER_SECOND", "0"}};
  bool arrived_ = true;
  std::string address_ = "192.0.2.1";
  Json secrets_ = {{"API_KEY_PEPPER", {{"bytes", 32}, {"digest", std::string(128, 'A')}}},
                   {"ENCRYPTION_KEY", {{"bytes", 32}, {"digest", ""}}}};
};

}  // namespace sm
