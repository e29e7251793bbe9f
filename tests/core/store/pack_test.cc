#include "core/store/pack.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/base/limits.h"
#include "core/json/canonical.h"

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

TEST(IdentityPack, PutsThePlaceOfAnItemBetweenTheTwo) {
  IdentityPack pack;
  pack.add_placed(sha256("a"), 1234, "a");
  pack.add_placed(sha256("b"), 99'999'999, "\"b");
  Json json = Json::parse(*pack.finish(), nullptr, false);
  EXPECT_EQ(json[0].get<std::string>(), to_hex(sha256("a")) + "00001234a");
  EXPECT_EQ(json[1].get<std::string>(), to_hex(sha256("b")) + "99999999\"b");
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

// Texts of canonical JSON, of the largest size of a property, that are made of one piece.
std::string largest_of(std::string_view piece) {
  std::string text = "{\"a\":\"";
  while (text.size() + piece.size() + 2 <= json::kMaxPropertyBytes) text += piece;
  return text + "\"}";
}

// All that canonical JSON may have within a string: control characters, for one, stand as escapes.
const std::vector<std::string> kPieces = {"x",       "\\\"",   "\\\\",      "\\n",
                                          "\\u0001", "\x7f",   "\x7f\\\"",  "\u00e9",
                                          "\u0436",  "\u6f22", "\U0001F600"};

TEST(DataPacks, NoParameterPassesTheLimitWhateverTheLargestPropertyIsMadeOf) {
  for (const std::string& piece : kPieces) {
    std::string largest = largest_of(piece);
    Sha256Digest hash = sha256(largest);
    for (size_t before : {1u, 475'000u, 999'990u}) {
      DataPacks packs;
      packs.add(sha256("a"), 0, std::string(before, 'x'));
      for (size_t i = 1; i < 3; ++i) packs.add(hash, 99'999'999, largest);
      for (const DataPacks::Part& part : packs.finish()) {
        EXPECT_LE(part.pack->size(), kMaxParamBytes) << piece << " behind " << before;
      }
    }
  }
}

TEST(DataPacks, OnlyADatumThatIsLongerThanAPackPassesThePacksLimit) {
  std::string cyrillic;
  while (cyrillic.size() < 1000) cyrillic += "\u0436";
  DataPacks packs;
  for (size_t i = 0; i < 2500; ++i) packs.add(sha256(cyrillic), i, cyrillic);
  std::vector<DataPacks::Part> parts = packs.finish();
  EXPECT_EQ(parts.size(), 8u) << "three megabytes for each of the two and a half";
  for (const DataPacks::Part& part : parts) EXPECT_LE(part.pack->size(), kDataPackBytes + 1);
}

// Unescapes what a pack of one datum holds.
std::string through_a_data_pack(const std::string& text) {
  DataPacks packs;
  packs.add(sha256(text), 0, text);
  std::vector<DataPacks::Part> parts = packs.finish();
  if (parts.size() != 1 || !is_ascii(*parts[0].pack)) return "no single ASCII pack";
  Json json = Json::parse(*parts[0].pack, nullptr, false);
  if (!json.is_object() || json.size() != 1) return "no pack of one";
  std::string back = json.begin().value().get<std::string>();
  std::replace(back.begin(), back.end(), parts[0].quote[0], '"');
  return back;
}

TEST(DataPacks, SequencesOfAnyLengthMayLieAcrossAnyPlaceOfABlock) {
  for (const char* sequence :
       {"\"", "\\", "\n", "\x01", "\x7f", "é", "\u0800", "漢", "\uffff", "😀", "\U0010ffff"}) {
    for (size_t before = 0; before <= 64; ++before) {
      std::string text = std::string(before, 'x') + sequence + std::string(33, 'y') + sequence;
      ASSERT_EQ(through_a_data_pack(text), text) << sequence << before;
    }
    for (size_t before = 4060; before <= 4140; ++before) {
      std::string text = std::string(before, 'x') + sequence + sequence + std::string(17, 'y');
      ASSERT_EQ(through_a_data_pack(text), text) << sequence << before;
    }
  }
}

TEST(DataPacks, BlocksFullOfTheSameSequenceComeBack) {
  for (const char* sequence : {"é", "漢", "😀", "\\", "\"", "\x7f"}) {
    std::string text = "x";
    while (text.size() < 3 * 4096) text += sequence;
    ASSERT_EQ(through_a_data_pack(text), text) << sequence;
  }
}

// Control characters, which canonical JSON never has, with a sequence of four bytes across the end
// of a block: 4095 * 6 + 12 bytes do not fit the 4096 * 6 of append_ascii's buffer.
TEST(DataPacks, ABlockOfControlCharactersBeforeALongSequenceFits) {
  for (size_t before : {4093u, 4094u, 4095u}) {
    std::string text = std::string(before, '\x01') + "😀";
    ASSERT_EQ(through_a_data_pack(text), text) << before;
  }
}

TEST(DataPacks, ASingleDatumMayBeLargerThanAPack) {
  std::string large(kDataPackBytes + 10, 'x');
  DataPacks packs;
  packs.add(sha256("a"), 0, "a");
  packs.add(sha256(large), 1, large);
  packs.add(sha256("b"), 2, "b");
  std::vector<DataPacks::Part> parts = packs.finish();
  ASSERT_EQ(parts.size(), 3u);
  EXPECT_EQ(parts[1].pack->size(), large.size() + 1 + 66 + 4 + 1);
}

TEST(DataPacks, ManySmallDataShareAPackUpToItsLimit) {
  DataPacks packs;
  std::string datum(1000, 'd');
  for (size_t i = 0; i < 2500; ++i) packs.add(sha256(datum), i, datum);
  std::vector<DataPacks::Part> parts = packs.finish();
  EXPECT_EQ(parts.size(), 3u);
  size_t items = 0;
  for (const DataPacks::Part& part : parts) {
    EXPECT_LE(part.pack->size(), kDataPackBytes + 1);
    items += Json::parse(*part.pack, nullptr, false).size();
  }
  EXPECT_EQ(items, 2500u);
  EXPECT_TRUE(packs.finish().empty()) << "finished packs start over";
}

TEST(DataPacks, DataWithADeleteCharacterGoesApart) {
  DataPacks packs;
  packs.add(sha256("1"), 0, R"({"a":"b"})");
  packs.add(sha256("2"), 1, "{\"a\":\"\x7f\"}");
  std::vector<DataPacks::Part> parts = packs.finish();
  ASSERT_EQ(parts.size(), 2u);
  EXPECT_EQ(parts[0].quote, "\x7f");
  EXPECT_EQ(parts[1].quote, "\"");
}

}  // namespace
}  // namespace sm::store
