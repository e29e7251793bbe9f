#include "core/store/pack.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/base/limits.h"

namespace sm::store {
namespace {

using Json = nlohmann::ordered_json;

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<uint8_t>(c) < 0x80; });
}

std::vector<std::string> nasty_texts() {
  std::vector<std::string> texts = {
      "",  "plain", "\"quoted\"", "back\\slash", "tab\t\x01\x1f",       "del \x7f",
      "é", "漢字",  "😀",         "a\"é\\😀\"",  "{\"a\":\"\\\"\\\\\"}"};
  // Sequences of every length across every border of the blocks that are copied at once.
  for (const char* sequence : {"\"", "\\", "é", "漢", "😀"}) {
    for (size_t before : {13u, 14u, 15u, 16u, 17u, 4093u, 4094u, 4095u, 4096u, 4097u}) {
      texts.push_back(std::string(before, 'x') + sequence + std::string(20, 'y'));
    }
  }
  texts.push_back(std::string(100'000, '"'));
  return texts;
}

TEST(IdentityPack, HoldsHashesAndIdentitiesAsAsciiJson) {
  IdentityPack pack;
  std::vector<std::string> texts = nasty_texts();
  for (const std::string& text : texts) pack.add(sha256(text), text);
  EXPECT_EQ(pack.items(), texts.size());
  Pack finished = pack.finish();
  EXPECT_TRUE(is_ascii(*finished));
  Json json = Json::parse(*finished, nullptr, false);
  ASSERT_TRUE(json.is_array());
  for (size_t i = 0; i < texts.size(); ++i) {
    EXPECT_EQ(json[i].get<std::string>(), to_hex(sha256(texts[i])) + texts[i]);
  }
  EXPECT_EQ(pack.items(), 0u) << "a finished pack starts over";
}

TEST(IdentityPack, IsFullBeforeItPassesTheLimitOfAParameter) {
  IdentityPack pack;
  std::string longest(kMaxIdentityBytes, '\x01');
  while (!pack.full()) pack.add(sha256(longest), longest);
  EXPECT_LE(pack.finish()->size(), 2'000'000u);
}

TEST(DataPacks, GiveEveryTextBackVerbatim) {
  std::vector<std::string> texts = nasty_texts();
  DataPacks packs;
  for (size_t i = 0; i < texts.size(); ++i) packs.add(sha256(texts[i]), i, texts[i]);
  size_t found = 0;
  for (const DataPacks::Part& part : packs.finish()) {
    EXPECT_TRUE(is_ascii(*part.pack));
    Json json = Json::parse(*part.pack, nullptr, false);
    ASSERT_TRUE(json.is_object());
    for (const auto& [key, value] : json.items()) {
      // What the statement does: replace(value, quote, '"').
      std::string text = value.get<std::string>();
      std::replace(text.begin(), text.end(), part.quote[0], '"');
      EXPECT_EQ(text, texts[std::stoul(key.substr(64))]);
      EXPECT_EQ(key.substr(0, 64), to_hex(sha256(text)));
      ++found;
    }
  }
  EXPECT_EQ(found, texts.size());
}

TEST(DataPacks, StayBelowTheLimitOfAParameterWithTheWorstData) {
  DataPacks packs;
  std::string worst;
  while (worst.size() < 512 * 1024 - 2) worst += "é";
  for (size_t i = 0; i < 5; ++i) packs.add(sha256(worst), i, worst);
  for (const DataPacks::Part& part : packs.finish()) EXPECT_LE(part.pack->size(), 2'000'000u);
}

TEST(PackIds, IsAJsonList) {
  EXPECT_EQ(*pack_ids({}), "[]");
  EXPECT_EQ(*pack_ids({1, 22, 333}), "[1,22,333]");
}

}  // namespace
}  // namespace sm::store
