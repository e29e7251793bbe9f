// The frames that the TypeScript side reads in its tests, too.
#include "core/frame.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "core/store/rows.h"

namespace sm {
namespace {

using Json = nlohmann::ordered_json;

Json golden(const std::string& name) {
  std::ifstream file(std::string(SM_GOLDEN_DIR) + "/" + name + ".json");
  std::stringstream text;
  text << file.rdbuf();
  return Json::parse(text.str(), nullptr, false);
}

std::string bytes_of(const Json& hex) {
  std::string text = hex.get<std::string>();
  std::string bytes;
  for (size_t i = 0; i + 1 < text.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(text.substr(i, 2), nullptr, 16));
  }
  return bytes;
}

Json head_of(const std::string& frame) {
  uint32_t length = 0;
  std::memcpy(&length, frame.data(), 4);
  return Json::parse(frame.substr(4, length), nullptr, false);
}

TEST(Frame, AStartFrameOfAHostIsUnderstood) {
  Json file = golden("start_request");
  ASSERT_TRUE(file.is_object());
  StartFrame start = decode_start(bytes_of(file["frame"]));
  EXPECT_EQ(start.kind, StartFrame::Kind::request);
  EXPECT_EQ(start.request.method, file["head"]["method"].get<std::string>());
  EXPECT_EQ(start.request.target, file["head"]["target"].get<std::string>());
  EXPECT_EQ(start.request.headers.size(), file["head"]["headers"].size());
  EXPECT_EQ(start.request.has_body, file["head"]["body"].get<bool>());
  EXPECT_EQ(start.time.ms, file["head"]["time"].get<int64_t>());
  EXPECT_EQ(start.deployment.vars.size(), file["head"]["vars"].size());
  EXPECT_EQ(start.deployment.sealing, file["head"]["sealing"].get<bool>());
  EXPECT_EQ(start.random.size(), 64u);
  EXPECT_EQ(decode_start(bytes_of(golden("start_answers")["frame"])).kind,
            StartFrame::Kind::answers);
}

TEST(Frame, ResultsOfAHostAreReadCellByCell) {
  Json file = golden("resume_results");
  auto frame = std::make_shared<const std::string>(bytes_of(file["frame"]));
  ResumeFrame resume = decode_resume(frame);
  EXPECT_EQ(resume.time.ms, file["head"]["time"].get<int64_t>());
  ASSERT_EQ(resume.replies.size(), file["head"]["replies"].size());
  size_t read = 0;
  for (Reply& reply : resume.replies) {
    for (RawResult& result : reply.results) {
      store::Rows rows(result);
      size_t count = 0;
      while (rows.next()) ++count;
      EXPECT_EQ(count, rows.size());
      ++read;
    }
  }
  EXPECT_GE(read, 3u);
}

TEST(Frame, EveryOtherReplyOfAHostIsUnderstood) {
  for (const char* name : {"resume_others", "resume_empty"}) {
    Json file = golden(name);
    ResumeFrame resume =
        decode_resume(std::make_shared<const std::string>(bytes_of(file["frame"])));
    ASSERT_EQ(resume.replies.size(), file["head"]["replies"].size()) << name;
    for (size_t i = 0; i < resume.replies.size(); ++i) {
      EXPECT_EQ(!resume.replies[i].error.has_value(), file["head"]["replies"][i]["ok"].get<bool>())
          << name << i;
    }
  }
}

// The effects of a golden step, as the core would ask for them.
Effect effect_of(const Json& json, const std::vector<std::string>& sections) {
  std::string name = json["effect"].get<std::string>();
  auto section = [&](const char* member) { return sections[json[member].get<size_t>()]; };
  if (name == "read_body") return ReadBody{};
  if (name == "end") return End{};
  if (name == "abort") return Abort{};
  if (name == "write") return Write{section("section")};
  if (name == "seal") return Seal{section("section"), json["context"].get<std::string>()};
  if (name == "reserve_memory") return ReserveMemory{json["bytes"].get<uint64_t>()};
  return Log{json["level"].get<std::string>(), json["message"].get<std::string>()};
}

TEST(Frame, StepsAreWrittenAsHostsReadThem) {
  Json file = golden("step_others");
  std::string frame = bytes_of(file["frame"]);
  std::vector<std::string> sections;
  uint32_t length = 0;
  std::memcpy(&length, frame.data(), 4);
  for (size_t at = 4 + length; at < frame.size(); at += 4 + length) {
    std::memcpy(&length, frame.data() + at, 4);
    sections.push_back(frame.substr(at + 4, length));
  }
  std::vector<Effect> effects;
  Json expected = Json::array();
  for (const Json& effect : file["head"]["effects"]) {
    if (effect["effect"] == "respond") continue;
    effects.push_back(effect_of(effect, sections));
    expected.push_back(effect);
  }
  ASSERT_GE(effects.size(), 5u);
  Json head = head_of(encode_step(effects, StepIs::waiting));
  EXPECT_FALSE(head["done"].get<bool>());
  ASSERT_EQ(head["effects"].size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    Json wanted = expected[i];
    Json got = head["effects"][i];
    // Sections are numbered by the effects that are there.
    wanted.erase("section");
    got.erase("section");
    EXPECT_EQ(nlohmann::json(got), nlohmann::json(wanted));
  }
}

}  // namespace
}  // namespace sm
