#include "core/json/outline.h"

#include <gtest/gtest.h>

#include "core/sync/identity.h"

namespace sm::json {
namespace {

std::string outline(std::string_view text, size_t levels = 1, size_t part = 1 << 20) {
  Outline outline;
  Arena arena;
  Canonicalizer canonicalizer;
  outline.reset(levels);
  for (size_t at = 0; at < text.size(); at += part) outline.feed(text.substr(at, part));
  Canonical read = outline.read(canonicalizer, arena, {.refusal = Refusal::too_large});
  EXPECT_EQ(read.refusal, Refusal::too_large);
  return std::string(read.text);
}

TEST(Outline, KeepsTheFirstLevelsAndNoneBeyond) {
  std::string text = R"({ "id" : 1, "a":{"b":[1,{"c":2}],"d":{}}, "l":[[],"x"], "t":true })";
  EXPECT_EQ(outline(text), R"({"a":[],"id":1,"l":[],"t":true})");
  EXPECT_EQ(outline(text, 2), R"({"a":{"b":[],"d":[]},"id":1,"l":[[],"x"],"t":true})");
  EXPECT_EQ(outline(text, 9), R"({"a":{"b":[1,{"c":2}],"d":{}},"id":1,"l":[[],"x"],"t":true})");
  EXPECT_EQ(outline("[[[1]]]", 2), "[[[]]]");
}

TEST(Outline, IsTheSameHoweverItIsFed) {
  std::string text = R"({"a\"}[":"\\","b":"\u00e9\n{","c":[{"d":"]"}],"e":-1.5e3,"é":"€"})";
  for (size_t levels : {1u, 2u, 3u}) {
    for (size_t part : {1u, 2u, 3u, 7u})
      EXPECT_EQ(outline(text, levels, part), outline(text, levels));
  }
}

TEST(Outline, CutsLongStringsBetweenCharacters) {
  for (const char* unit : {"x", "é", "€", "😀", "\\n", "\\u00e9"}) {
    for (size_t before = 0; before < 7; ++before) {
      std::string text = "{\"v\":\"" + std::string(before, 'x');
      for (int i = 0; i < 10'000; ++i) text += unit;
      std::string cut = outline(text + "\",\"id\":\"i\"}");
      EXPECT_LT(cut.size(), kOutlineStringBytes + 40) << unit;
      EXPECT_EQ(sync::identity_of(cut, {}).external_id, "i") << unit;
    }
  }
}

TEST(Outline, WhatItCutsIsNoIdentity) {
  for (const char* unit : {"x", "\\u0041", "é", "\\ud83d\\ude00"}) {
    std::string text = "{\"id\":\"";
    for (int i = 0; i < 10'000; ++i) text += unit;
    EXPECT_EQ(sync::identity_of_refused(outline(text + "\"}"), {}).external_id, "") << unit;
  }
}

TEST(Outline, ThereIsNoneWhereEvenItIsTooLarge) {
  std::string text = "{\"id\":1";
  for (int i = 0; i < 100'000; ++i) text += ",\"k" + std::to_string(i) + "\":1";
  EXPECT_EQ(outline(text + "}"), "");
}

}  // namespace
}  // namespace sm::json
