// The frames that the TypeScript side reads in its tests, too.
#include "core/frame.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <sstream>

#include "core/base/encoding.h"
#include "core/base/limits.h"
#include "core/effect_members.h"
#include "core/store/rows.h"

namespace sm {
namespace {

using Json = nlohmann::ordered_json;

std::string bytes_of_hex(std::string_view hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  }
  return bytes;
}

// Sections stand as text, or as "hex:..." where they are none.
std::string bytes_of_section(const std::string& text) {
  return text.starts_with("hex:") ? bytes_of_hex(text.substr(4)) : text;
}

struct Golden {
  Json json;
  std::string frame;
  std::vector<std::string> sections;
};

Golden golden(const std::string& name) {
  std::ifstream file(std::string(SM_GOLDEN_DIR) + "/" + name + ".json");
  std::stringstream text;
  text << file.rdbuf();
  Golden read{Json::parse(text.str(), nullptr, false), {}, {}};
  EXPECT_TRUE(read.json.is_object()) << name;
  read.frame = bytes_of_hex(read.json["frame"].get<std::string>());
  for (const Json& section : read.json["sections"]) {
    read.sections.push_back(bytes_of_section(section.get<std::string>()));
  }
  return read;
}

struct Parts {
  Json head;
  std::vector<std::string> sections;
};

Parts split(const std::string& frame) {
  uint32_t length = 0;
  std::memcpy(&length, frame.data(), 4);
  Parts parts{Json::parse(frame.substr(4, length), nullptr, false), {}};
  for (size_t at = 4 + length; at < frame.size(); at += 4 + length) {
    std::memcpy(&length, frame.data() + at, 4);
    parts.sections.push_back(frame.substr(at + 4, length));
  }
  return parts;
}

// A head in which each number of a section is replaced by the section, so that two frames compare
// whichever way their sections are numbered. Members have no order.
nlohmann::json resolved(const nlohmann::json& head, const std::vector<std::string>& sections) {
  if (!head.is_structured()) return head;
  nlohmann::json copy = head;
  for (auto& [name, value] : copy.items()) {
    if (head.is_object() && name == "section") {
      // As a list of bytes: a section need not be UTF-8.
      std::vector<int> bytes;
      for (char c : sections.at(value.get<size_t>())) bytes.push_back(static_cast<uint8_t>(c));
      value = bytes;
    } else {
      value = resolved(value, sections);
    }
  }
  return copy;
}

nlohmann::json resolved(const Parts& parts) { return resolved(parts.head, parts.sections); }

// What every invocation comes with.
void expect_deployment(const StartFrame& start, const Golden& file) {
  const Json& head = file.json["head"];
  EXPECT_EQ(start.time.ms, head["time"].get<int64_t>());
  EXPECT_EQ(start.deployment.store_kind, head["store"].get<std::string>());
  EXPECT_EQ(start.deployment.secrets.size(), head["secrets"].size());
  for (const SecretDigest& known : start.deployment.secrets) {
    const Json& secret = head["secrets"][known.name];
    EXPECT_EQ(known.bytes, secret["bytes"].get<size_t>());
    std::string digest;
    append_from_hex(digest, secret["digest"].get<std::string>());
    EXPECT_EQ(known.digest, digest);
  }
  EXPECT_EQ(start.deployment.vars.size(), head["vars"].size());
  for (const auto& [name, value] : head["vars"].items()) {
    EXPECT_EQ(start.deployment.var(name), value.get<std::string>());
  }
  EXPECT_EQ(start.deployment.var("NOT_SET"), "");
  EXPECT_EQ(start.random, file.sections.at(0));
}

TEST(Frame, AStartFrameOfAHostIsUnderstood) {
  Golden file = golden("start_request");
  const Json& head = file.json["head"];
  StartFrame start = decode_start(file.frame);
  EXPECT_EQ(start.kind, StartFrame::Kind::request);
  EXPECT_EQ(start.request.method, head["method"].get<std::string>());
  EXPECT_EQ(start.request.target, head["target"].get<std::string>());
  ASSERT_EQ(start.request.headers.size(), head["headers"].size());
  for (size_t i = 0; i < start.request.headers.size(); ++i) {
    EXPECT_EQ(start.request.headers[i].name, head["headers"][i][0].get<std::string>());
    EXPECT_EQ(start.request.headers[i].value, head["headers"][i][1].get<std::string>());
  }
  EXPECT_EQ(start.request.has_body, head["body"].get<bool>());
  EXPECT_EQ(start.request.arrived, head["arrived"].get<bool>());
  EXPECT_EQ(start.request.address, head["address"].get<std::string>());
  expect_deployment(start, file);
}

TEST(Frame, AWakeIsAStartWithoutARequest) {
  Golden file = golden("start_wake");
  StartFrame start = decode_start(file.frame);
  EXPECT_EQ(start.kind, StartFrame::Kind::wake);
  EXPECT_EQ(start.scheduled.ms, file.json["head"]["scheduled_time"].get<int64_t>());
  EXPECT_EQ(start.request.method, "");
  expect_deployment(start, file);
}

TEST(Frame, AHostMayAskForTheAnswersOfADeadCore) {
  EXPECT_EQ(decode_start(golden("start_stored_responses").frame).kind,
            StartFrame::Kind::stored_responses);
}

// One golden cell against the cell that was read: ["integer", "-1"], ["text", "ä"], ["null"].
void expect_cell(std::string_view all, store::CellReader& cells, const Json& cell) {
  std::string type = cell[0].get<std::string>();
  if (type == "null") {
    EXPECT_EQ(cells.maybe_text(), std::nullopt);
  } else if (type == "integer") {
    EXPECT_EQ(cells.integer(), std::stoll(cell[1].get<std::string>()));
  } else if (type == "text") {
    EXPECT_EQ(cells.text(), cell[1].get<std::string>());
  } else if (double real = cell[1].get<double>(); std::abs(real) <= 9007199254740991) {
    EXPECT_EQ(cells.integer(), static_cast<int64_t>(real));
  } else {
    EXPECT_DEATH((void)cells.integer(), "check failed");
    cells = store::CellReader(all, cells.position() + 9);
  }
}

TEST(Frame, ResultsOfAHostAreReadCellByCell) {
  Golden file = golden("resume_results");
  ResumeFrame resume = decode_resume(std::make_shared<const std::string>(file.frame));
  const Json& replies = file.json["head"]["replies"];
  EXPECT_EQ(resume.time.ms, file.json["head"]["time"].get<int64_t>());
  ASSERT_EQ(resume.replies.size(), replies.size());
  size_t read = 0;
  for (size_t i = 0; i < replies.size(); ++i) {
    ASSERT_EQ(resume.replies[i].results.size(), replies[i]["results"].size());
    for (size_t k = 0; k < resume.replies[i].results.size(); ++k) {
      const Json& result = replies[i]["results"][k];
      const Json& cells = file.json["cells"][std::to_string(result["section"].get<size_t>())];
      const RawResult& raw = resume.replies[i].results[k];
      EXPECT_EQ(raw.rows, result["rows"].get<size_t>());
      EXPECT_EQ(raw.columns, result["columns"].size());
      EXPECT_EQ(raw.changes, result["changes"].get<int64_t>());
      store::CellReader reader(raw.cells, 0);
      for (const Json& cell : cells) expect_cell(raw.cells, reader, cell);
      EXPECT_EQ(reader.position(), raw.cells.size());
      read += cells.size();
    }
  }
  EXPECT_EQ(read, 15u) << "every cell of every section";
}

TEST(Frame, RepliesKeepTheirFrameAlive) {
  Golden file = golden("resume_others");
  std::vector<Reply> replies =
      decode_resume(std::make_shared<const std::string>(file.frame)).replies;
  EXPECT_EQ(replies.at(0).bytes, file.sections.at(0));
}

TEST(Frame, EveryOtherReplyOfAHostIsUnderstood) {
  Golden file = golden("resume_others");
  ResumeFrame resume = decode_resume(std::make_shared<const std::string>(file.frame));
  ASSERT_EQ(resume.replies.size(), 8u);
  EXPECT_EQ(resume.replies[0].bytes, file.sections.at(0));
  EXPECT_FALSE(resume.replies[0].end);
  EXPECT_TRUE(resume.replies[1].end);
  EXPECT_EQ(resume.replies[1].bytes, "");
  EXPECT_FALSE(resume.replies[2].error);
  ASSERT_TRUE(resume.replies[3].error);
  EXPECT_EQ(resume.replies[3].error->code, ErrorCode::guard);
  EXPECT_EQ(resume.replies[3].error->detail, "source_changed");
  ASSERT_TRUE(resume.replies[4].error);
  EXPECT_EQ(resume.replies[4].error->code, ErrorCode::unique);
  EXPECT_EQ(resume.replies[4].error->detail, "connections.source_id,target_id");
  EXPECT_EQ(resume.replies[5].error->code, ErrorCode::rate_limited);
  EXPECT_EQ(resume.replies[6].error->code, ErrorCode::not_configured);
  const Json& sealed = file.json["head"]["replies"][7];
  EXPECT_EQ(resume.replies[7].key_id, sealed["key_id"].get<std::string>());
  EXPECT_EQ(resume.replies[7].sealed, sealed["sealed"].get<std::string>());
}

TEST(Frame, AResumeMayHaveNoReplies) {
  ResumeFrame resume =
      decode_resume(std::make_shared<const std::string>(golden("resume_empty").frame));
  EXPECT_TRUE(resume.replies.empty());
  EXPECT_EQ(resume.time.ms, 0);
}

std::string reply_frame(const std::string& head) {
  auto length = static_cast<uint32_t>(head.size());
  return std::string(reinterpret_cast<const char*>(&length), 4) + head;
}

TEST(Frame, EveryKindOfErrorOfAHostHasACode) {
  const std::pair<const char*, ErrorCode> kKinds[] = {
      {"unavailable", ErrorCode::unavailable},
      {"overloaded", ErrorCode::overloaded},
      {"unknown_outcome", ErrorCode::unknown_outcome},
      {"guard:row_changed", ErrorCode::guard},
      {"unique:api_keys.key_hash", ErrorCode::unique},
      {"refused", ErrorCode::refused},
      {"cut_off", ErrorCode::cut_off},
      {"cancelled", ErrorCode::cancelled},
      {"no_key", ErrorCode::not_configured},
      {"spent", ErrorCode::rate_limited},
      {"no_counter", ErrorCode::not_configured},
  };
  for (auto [kind, code] : kKinds) {
    std::string head =
        R"({"time":1,"replies":[{"ok":false,"error":")" + std::string(kind) + R"("}]})";
    ResumeFrame resume = decode_resume(std::make_shared<const std::string>(reply_frame(head)));
    ASSERT_TRUE(resume.replies.at(0).error) << kind;
    EXPECT_EQ(resume.replies[0].error->code, code) << kind;
    EXPECT_FALSE(resume.replies[0].error->detail.empty()) << kind;
  }
}

// Fills the members of one effect from a golden step (effect_members.h).
class EffectReader {
 public:
  EffectReader(const Json& json, const std::vector<std::string>& sections)
      : json_(json), sections_(sections) {}

  template <typename Integer>
  void integer(const char* name, Integer& value) {
    value = json_.at(name).get<Integer>();
  }
  void boolean(const char* name, bool& value) { value = json_.at(name).get<bool>(); }
  void text(const char* name, std::string& text) { text = json_.at(name).get<std::string>(); }
  void section(const char* name, std::string& bytes) { bytes = section_of(json_.at(name)); }

  void statements(const char* name, std::vector<Statement>& list) {
    for (const Json& statement : json_.at(name)) {
      Statement& built = list.emplace_back();
      built.number = statement["statement"].get<uint32_t>();
      for (const Json& param : statement["params"]) built.params.push_back(param_of(param));
    }
  }

  void headers(const char* name, std::vector<Header>& list) {
    for (const Json& header : json_.at(name))
      list.push_back({header[0].get<std::string>(), header[1].get<std::string>()});
  }

  void body(Respond::Body& body, std::string& content) {
    if (json_.contains("section")) {
      body = Respond::Body::bytes;
      section("section", content);
    } else if (json_.contains("asset")) {
      body = Respond::Body::asset;
      text("asset", content);
    } else if (json_.contains("stream")) {
      body = Respond::Body::stream;
    }
  }

 private:
  const std::string& section_of(const Json& index) const {
    return sections_.at(index.get<size_t>());
  }

  Param param_of(const Json& param) const {
    if (param.is_null()) return nullptr;
    if (param.is_number()) return param.get<int64_t>();
    if (param.is_string()) return param.get<std::string>();
    return std::make_shared<const std::string>(section_of(param["section"]));
  }

  const Json& json_;
  const std::vector<std::string>& sections_;
};

template <typename E>
E read_effect(const Json& json, const Golden& file) {
  E effect{};
  EffectReader reader(json, file.sections);
  EffectMembers<E>::each(reader, effect);
  return effect;
}

// The effect of a golden step as the core would ask for it: whichever kind of the variant has the
// name.
template <size_t kKind = 0>
std::optional<Effect> built(const Json& json, const Golden& file) {
  if constexpr (kKind == std::variant_size_v<Effect>) {
    return std::nullopt;
  } else {
    using E = std::variant_alternative_t<kKind, Effect>;
    if (json["effect"] == EffectMembers<E>::kName) return read_effect<E>(json, file);
    return built<kKind + 1>(json, file);
  }
}

TEST(Frame, StepsAreWrittenAsHostsReadThem) {
  std::set<size_t> kinds;
  for (const char* name : {"step_store", "step_others", "step_answer", "step_empty"}) {
    Golden file = golden(name);
    std::vector<Effect> effects;
    for (const Json& json : file.json["head"]["effects"]) {
      std::optional<Effect> effect = built(json, file);
      ASSERT_TRUE(effect) << json;
      kinds.insert(effect->index());
      effects.push_back(std::move(*effect));
    }
    bool done = file.json["head"]["done"].get<bool>();
    Parts written = split(encode_step(effects, done ? StepIs::done : StepIs::waiting));
    EXPECT_EQ(resolved(written), resolved(file.json["head"], file.sections)) << name;
    EXPECT_EQ(written.sections.size(), file.sections.size()) << name;
  }
  EXPECT_EQ(kinds.size(), std::variant_size_v<Effect>) << "every kind stands in a golden step";
}

TEST(Frame, StoredResponsesAreWrittenAsHostsReadThem) {
  Golden file = golden("step_stored_responses");
  std::vector<StoredResponse> answers;
  for (const auto& [name, answer] : file.json["head"]["stored_responses"].items())
    answers.push_back({name, read_effect<Respond>(answer, file)});
  Parts written = split(encode_stored_responses(answers));
  nlohmann::json wanted = resolved(file.json["head"], file.sections);
  nlohmann::json got = resolved(written);
  // Hosts read status, headers and section; an answer may say that it is a respond effect.
  for (auto& answer : got["stored_responses"]) answer.erase("effect");
  EXPECT_EQ(got, wanted);
}

TEST(Frame, APackThatSeveralStatementsNameIsSentOnce) {
  auto pack = std::make_shared<const std::string>("a pack");
  auto equal = std::make_shared<const std::string>("a pack");
  std::vector<Effect> effects;
  effects.push_back(Batch{{{1, {pack}}, {2, {pack, equal}}}});
  Parts written = split(encode_step(effects, StepIs::waiting));
  EXPECT_EQ(written.sections.size(), 2u) << "the pack, and one that is only equal";
  const Json& statements = written.head["effects"][0]["statements"];
  EXPECT_EQ(statements[0]["params"][0], statements[1]["params"][0]);
}

TEST(Frame, ALongTextTravelsBesideTheHead) {
  std::string text(kInlineTextBytes, '"');
  std::vector<Effect> effects;
  effects.push_back(Batch{{{1, {text, text.substr(1)}}}});
  Parts written = split(encode_step(effects, StepIs::waiting));
  const Json& params = written.head["effects"][0]["statements"][0]["params"];
  EXPECT_EQ(written.sections.at(params[0]["section"].get<size_t>()), text);
  EXPECT_EQ(params[1], text.substr(1));
}

TEST(FrameDeathTest, FramesThatNoHostOfOursMakesTrap) {
  const std::string kHeads[] = {
      "",
      "[]",
      "{",
      R"({"kind":"other"})",
      R"({"kind":"request"})",
      R"({"kind":"request","vars":{},"secrets":{},"store":"d1","time":1})",
      R"({"kind":"wake","vars":{},"secrets":{},"store":"d1","time":1,"scheduled_time":1})"};
  for (const std::string& head : kHeads)
    EXPECT_DEATH((void)decode_start(reply_frame(head)), "check failed") << head;
  EXPECT_DEATH((void)decode_start(std::string("\x10\0\0\0{}", 6)), "check failed");
  EXPECT_DEATH((void)decode_start("ab"), "check failed");
}

TEST(FrameDeathTest, RepliesThatNoHostOfOursMakesTrap) {
  const std::string kHeads[] = {R"({"replies":[]})", R"({"time":1,"replies":[{}]})",
                                R"({"time":1,"replies":[{"ok":false,"error":"strange"}]})",
                                R"({"time":1,"replies":[{"ok":true,"section":0}]})"};
  for (const std::string& head : kHeads) {
    EXPECT_DEATH((void)decode_resume(std::make_shared<const std::string>(reply_frame(head))),
                 "check failed")
        << head;
  }
}

}  // namespace
}  // namespace sm
