#include "core/sync/import_set.h"

#include <gtest/gtest.h>

#include <map>

#include "core/base/limits.h"
#include "core/json/item_reader.h"
#include "core/store/pack.h"

namespace sm::sync {
namespace {

// An import as a flow reads it: the whole body in one piece.
struct Imported {
  explicit Imported(const std::string& body, uint64_t seed = 1, const IdField& id_field = {},
                    ImportMode mode = ImportMode::upsert)
      : set(id_field, mode, seed) {
    json::ItemReader reader(identity_levels(id_field));
    reader.feed(body);
    bool finished = false;
    while (true) {
      Arena::Mark before = arena.mark();
      json::Event event = reader.next(arena);
      if (event.kind == json::Event::Kind::item) {
        set.add(event, arena, before);
      } else if (event.kind == json::Event::Kind::need_more && !finished) {
        reader.finish();
        finished = true;
      } else {
        EXPECT_EQ(event.kind, json::Event::Kind::end);
        break;
      }
    }
    set.finish_hashes();
  }

  Arena arena;
  ImportSet set;
};

TEST(ImportSet, AgreesWithAMapOverAHundredThousandItems) {
  constexpr int kItems = 100'000;
  std::string body = "{\"data\":[";
  std::map<std::string, std::string> last;
  uint64_t random = 88172645463325252;
  for (int i = 0; i < kItems; ++i) {
    random ^= random << 13, random ^= random >> 7, random ^= random << 17;
    std::string id = std::to_string(random % 60'000);
    std::string item = "{\"id\":\"" + id + "\",\"n\":" + std::to_string(i) + "}";
    body += (i > 0 ? "," : "") + item;
    last[id] = item;
  }
  Imported import(body + "]}");
  EXPECT_EQ(import.set.total(), static_cast<size_t>(kItems));
  EXPECT_EQ(import.set.failed(), kItems - last.size());
  EXPECT_EQ(import.set.items().size(), static_cast<size_t>(kItems));
  size_t counted = 0;
  for (const ImportItem& item : import.set.items()) {
    if (item.superseded) continue;
    ++counted;
    ASSERT_EQ(item.data, last[std::string(item.external_id)]);
    ASSERT_EQ(item.hash, sha256(item.data));
  }
  EXPECT_EQ(counted, last.size());
}

TEST(ImportSet, ItsAnswersDoNotDependOnTheSeed) {
  std::string body = "{\"data\":[";
  for (int i = 0; i < 5000; ++i) body += "{\"id\":" + std::to_string(i * 7 % 3000) + "},";
  body += "{\"id\":\"last\"}]}";
  Imported first(body, 0);
  for (uint64_t seed : {uint64_t{1}, UINT64_MAX, uint64_t{0x9E3779B97F4A7C15}}) {
    Imported other(body, seed);
    EXPECT_EQ(other.set.failed(), first.set.failed());
    for (size_t i = 0; i < first.set.items().size(); ++i)
      ASSERT_EQ(other.set.items()[i].superseded, first.set.items()[i].superseded) << i;
  }
}

TEST(ImportSet, IdentitiesThatShareAllButOneByteAreDifferent) {
  std::string body = "{\"data\":[";
  for (size_t length : {1u, 7u, 8u, 9u, 16u, 17u, 511u}) {
    for (char c = 'a'; c <= 'z'; ++c) body += "{\"id\":\"" + std::string(length, 'x') + c + "\"},";
  }
  Imported import(body + "{\"id\":\"\xc3\xa9\"}]}");
  EXPECT_EQ(import.set.failed(), 0u);
  EXPECT_EQ(import.set.items().size(), 7u * 26 + 1);
}

TEST(ImportSet, TheFirstErrorsByIndexAreKeptWhateverOrderTheyCameIn) {
  // Late duplicates make errors of early items, after a thousand later ones are listed already.
  std::string body = "{\"data\":[";
  for (int i = 0; i < 10; ++i) body += "{\"id\":\"early " + std::to_string(i) + "\"},";
  for (int i = 0; i < 1500; ++i) body += "{\"x\":1},";
  for (int i = 0; i < 10; ++i) body += "{\"id\":\"early " + std::to_string(i) + "\"},";
  Imported import(body + "{\"id\":\"end\"}]}");
  EXPECT_EQ(import.set.failed(), 1510u);
  ASSERT_EQ(import.set.errors().size(), kMaxImportErrors);
  EXPECT_EQ(import.set.errors().begin()->first, 0u);
  EXPECT_EQ(import.set.errors().begin()->second.external_id, "early 0");
  EXPECT_NE(import.set.errors().begin()->second.detail.find("duplicate"), std::string::npos);
  EXPECT_EQ(import.set.errors().rbegin()->first, 999u);
}

TEST(ImportSet, AnItemThatFailsDoesNotSupersedeAnEarlierOne) {
  Imported import(R"({"data":[{"id":"a","v":1},{"id":"a","v":1e999},{"id":"a","id":"a"}]})");
  EXPECT_EQ(import.set.failed(), 2u);
  ASSERT_EQ(import.set.items().size(), 1u);
  EXPECT_EQ(import.set.items()[0].data, R"({"id":"a","v":1})");
  EXPECT_FALSE(import.set.items()[0].superseded);
  EXPECT_EQ(import.set.errors().at(1).external_id, "a");
}

std::string nested(size_t levels) {
  return "{\"id\":\"n\",\"v\":" + std::string(levels - 1, '[') + std::string(levels - 1, ']') + "}";
}

// The canonical text {"id":"s","v":"xxx…"} of so many bytes.
std::string sized(size_t bytes) {
  std::string head = "{\"id\":\"s\",\"v\":\"";
  return head + std::string(bytes - head.size() - 2, 'x') + "\"}";
}

TEST(ImportSet, EachRefusalSaysWhy) {
  const std::pair<std::string, const char*> kItems[] = {
      {R"({"id":"u","v":"\ud800"})", "surrogate"},
      {R"({"id":"u","v":1,"v":2})", "member twice"},
      {R"({"id":"u","v":-1e400})", "finite"},
      {nested(129), "128 levels"},
      {sized(json::kMaxPropertyBytes + 1), "512 KiB"},
      {"[]", "not an object"},
      {"null", "not an object"},
      {"\"text\"", "not an object"},
      {"{}", "no identity"},
  };
  for (const auto& [item, why] : kItems) {
    Imported import("{\"data\":[" + item + "]}");
    EXPECT_EQ(import.set.failed(), 1u) << why;
    ASSERT_EQ(import.set.errors().size(), 1u) << why;
    EXPECT_NE(import.set.errors().at(0).detail.find(why), std::string::npos)
        << import.set.errors().at(0).detail;
    EXPECT_TRUE(import.set.items().empty());
    EXPECT_FALSE(import.set.part_full(1));
  }
}

TEST(ImportSet, AnItemThatIsTooDeepOrTooLargeHasItsIdentityStill) {
  Imported import("{\"data\":[" + nested(129) + "," + nested(100'000) + "," +
                  sized(json::kMaxPropertyBytes + 1) + "]}");
  EXPECT_EQ(import.set.errors().at(0).external_id, "n");
  EXPECT_EQ(import.set.errors().at(1).external_id, "n");
  EXPECT_EQ(import.set.errors().at(2).external_id, "s");
  EXPECT_EQ(import.set.nameless(), std::nullopt);
}

TEST(ImportSet, AnErrorNamesTheMemberAtFaultFromTheItemOn) {
  const std::pair<const char*, const char*> kItems[] = {
      {R"({"id":1,"PublicRemarks":"cut \ud83c"})", ", at /PublicRemarks"},
      {R"({"id":1,"a":[{"GarageYN":true,"GarageYN":false}]})", ", at /a/0/GarageYN"},
      {R"({"id":1,"Lot/Size":1e999})", ", at /Lot~1Size"},
      {R"({"v":1e999})",
       ", at /v; it has no identity: neither external_id nor id (the source's config may name "
       "another place, as {\"id_field\": \"/ListingKey\"})"},
  };
  for (const auto& [item, what] : kItems) {
    Imported import("{\"data\":[" + std::string(item) + "]}");
    EXPECT_TRUE(import.set.errors().at(0).detail.ends_with(what))
        << import.set.errors().at(0).detail;
  }
}

TEST(ImportSet, AnItemBeyondAllBoundsHasItsIdentityStill) {
  Imported import("{\"data\":[" + sized(json::kMaxRawItemBytes + 2) + ",{\"v\":\"" +
                      std::string(json::kMaxRawItemBytes, 'x') + "\",\"m\":{\"key\":7}}]}",
                  1, json::parse_pointer("/m/key"));
  EXPECT_EQ(import.set.errors().at(0).external_id, "s");
  EXPECT_EQ(import.set.errors().at(1).external_id, "7");
  EXPECT_TRUE(import.set.all_failed());
}

TEST(ImportSet, AnItemOfTooManyValuesHasItsIdentityWhereItIsCertain) {
  std::string zeros = "[0";
  for (int i = 0; i < 60'000; ++i) zeros += ",0";
  std::string wide = "{\"id\":3";
  for (int i = 0; i < 60'000; ++i) wide += ",\"" + std::to_string(i) + "\":0";
  Imported import("{\"data\":[{\"id\":1,\"l\":" + zeros + "]},{\"id\":2,\"l\":" + zeros +
                  "],\"id\":1}," + wide + "}]}");
  EXPECT_EQ(import.set.errors().at(0).external_id, "1");
  EXPECT_TRUE(import.set.errors().at(0).detail.starts_with("it has more than 50,000 values"));
  EXPECT_EQ(import.set.errors().at(1).external_id, std::nullopt) << "it has two";
  EXPECT_EQ(import.set.errors().at(2).external_id, std::nullopt)
      << "it is too wide to be looked for";
}

TEST(ImportSet, AnItemThatIsTooLargeAndHasItsIdTwiceHasNoIdentity) {
  std::string filler(json::kMaxPropertyBytes, 'x');
  Imported import("{\"data\":[{\"id\":1,\"v\":\"" + filler + "\",\"id\":2}]}");
  EXPECT_EQ(import.set.errors().at(0).external_id, std::nullopt);
  EXPECT_EQ(import.set.nameless(), 0u);
}

TEST(ImportSet, IdentitiesAreWorkedOutAnewWhereAllItemsAreAtHand) {
  Imported import(R"({"data":[{"id":1,"k":"a"},{"id":1,"k":"b"},{"id":2,"k":"b"},{"id":3}]})");
  EXPECT_EQ(import.set.failed(), 1u);
  ASSERT_TRUE(import.set.identify_again(json::parse_pointer("/k"), import.arena));
  EXPECT_EQ(import.set.total(), 4u);
  EXPECT_EQ(import.set.failed(), 1u);
  EXPECT_EQ(import.set.errors().at(1).external_id, "b");
  std::vector<std::string> ids;
  for (const ImportItem& item : import.set.items()) {
    ids.emplace_back(item.external_id);
    EXPECT_EQ(item.hash, sha256(item.data));
  }
  EXPECT_EQ(ids, (std::vector<std::string>{"a", "b", "b", "3"}));
}

TEST(ImportSet, IdentitiesAreNotWorkedOutAnewWhereItemsAreGone) {
  Imported refused(R"({"data":[{"id":1},{"k":"b"}]})");
  EXPECT_FALSE(refused.set.identify_again(json::parse_pointer("/k"), refused.arena));
  Imported parts(R"({"data":[{"id":1}]})");
  parts.set.next_part(parts.arena);
  EXPECT_FALSE(parts.set.identify_again(json::parse_pointer("/k"), parts.arena));
}

TEST(ImportSet, TheLimitsOfAPropertyAreStillTaken) {
  Imported import("{\"data\":[" + nested(128) + "," + sized(json::kMaxPropertyBytes) + "]}");
  EXPECT_EQ(import.set.failed(), 0u);
  ASSERT_EQ(import.set.items().size(), 2u);
  EXPECT_EQ(import.set.items()[1].data.size(), json::kMaxPropertyBytes);
  EXPECT_TRUE(import.set.part_full(json::kMaxPropertyBytes));
}

TEST(ImportSet, WhatFailsLeavesNothingInTheArena) {
  std::string one = "{\"data\":[{\"x\":\"" + std::string(1000, 'x') + "\"}";
  std::string many = one;
  for (int i = 0; i < 1000; ++i) many += ",{\"x\":\"" + std::string(1000, 'x') + "\"}";
  EXPECT_EQ(Imported(many + "]}").arena.capacity(), Imported(one + "]}").arena.capacity());
}

TEST(ImportSet, IdFieldDecidesWhereItIsSet) {
  Imported import(R"({"data":[{"id":1,"meta":{"key":"a"}},{"id":1,"meta":{"key":"b"}},{"id":1}]})",
                  1, json::parse_pointer("/meta/key"));
  EXPECT_EQ(import.set.failed(), 0u);
  ASSERT_EQ(import.set.items().size(), 3u);
  EXPECT_EQ(import.set.items()[0].external_id, "a");
  EXPECT_EQ(import.set.items()[1].external_id, "b");
  EXPECT_EQ(import.set.items()[2].external_id, "1");
}

TEST(ImportSet, AFullImportKeepsTheIdentitiesOfWhatFailed) {
  std::string body = R"({"data":[{"id":"a","v":1e999},{"id":"b"},{"id":"c","c":1,"c":2}]})";
  Imported full(body, 1, {}, ImportMode::full);
  ASSERT_EQ(full.set.failed_ids().size(), 2u);
  EXPECT_EQ(full.set.failed_ids()[0], "a");
  EXPECT_EQ(full.set.failed_ids()[1], "c");
  EXPECT_EQ(full.set.nameless(), std::nullopt);
  EXPECT_TRUE(Imported(body).set.failed_ids().empty());
}

TEST(ImportSet, TellsTheFirstItemWithoutIdentity) {
  for (const char* item : {"{}", "3", R"({"id":""})", R"({"x":1e999})", R"({"id":"\ud800"})"}) {
    Imported import("{\"data\":[{\"id\":1}," + std::string(item) + ",{}]}");
    EXPECT_EQ(import.set.nameless(), 1u) << item;
  }
}

TEST(ImportSet, TheNextPartKeepsWhatWasCounted) {
  Imported import(R"({"data":[{"id":"a"},{"id":"a","v":1},{"x":1},{"id":"b"}]})");
  import.set.next_part(import.arena);
  EXPECT_TRUE(import.set.items().empty());
  EXPECT_EQ(import.set.total(), 4u);
  EXPECT_EQ(import.set.failed(), 2u);
  import.set.supersede_earlier(3, "b");
  EXPECT_EQ(import.set.failed(), 3u);
  EXPECT_EQ(import.set.errors().at(3).external_id, "b");
  EXPECT_FALSE(import.set.part_full(1));
}

TEST(ImportSet, APartIsFullWhenItsPacksAre) {
  auto numbered = [](size_t items) {
    std::string body = "{\"data\":[";
    for (size_t i = 0; i < items; ++i) body += "{\"id\":" + std::to_string(i) + "},";
    return body + "{\"x\":1}]}";
  };
  EXPECT_FALSE(Imported(numbered(20'000)).set.part_full(kImportPartBytes));
  EXPECT_TRUE(Imported(numbered(kIdentityPackItems)).set.part_full(kImportPartBytes));
  // Identities of which each byte becomes six.
  std::string longest;
  for (int i = 0; i < 512 - 4; ++i) longest += "\\u0001";
  std::string wide = "{\"data\":[";
  for (int i = 1000; i < 1700; ++i) wide += "{\"id\":\"" + longest + std::to_string(i) + "\"},";
  EXPECT_TRUE(Imported(wide + "0]}").set.part_full(kImportPartBytes));
}

// Texts that grow as they travel: beyond ASCII, quotation marks, control characters, U+007F.
TEST(ImportSet, APartTravelsInAsManyBytesAsWereCounted) {
  const char* kTexts[] = {"plain", "\xc3\xa9\xe6\xbc\xa2\xf0\x9f\x98\x80", "\\\"\\\\", "\x7f\\\"",
                          "\\u0001\\n"};
  for (const char* text : kTexts) {
    for (size_t length : {1u, 20u, 60u}) {
      std::string long_text;
      for (size_t i = 0; i < length; ++i) long_text += text;
      std::string body = "{\"data\":[";
      for (int i = 0; i < 50; ++i) {
        body += "{\"id\":\"" + std::string(text) + std::to_string(i) + "\",\"v\":\"" + long_text +
                "\"},";
      }
      Imported import(body + "{\"id\":\"end\"}]}");
      store::DataPacks data;
      store::IdentityPack identities;
      for (size_t i = 0; i < import.set.items().size(); ++i) {
        const ImportItem& item = import.set.items()[i];
        data.add(item.hash, i, item.data);
        identities.add_placed(item.hash, i, item.external_id);
      }
      size_t bytes = identities.finish()->size();
      for (auto& part : data.finish()) bytes += part.pack->size();
      EXPECT_TRUE(import.set.part_full(bytes - 10)) << text << length;
    }
  }
}

}  // namespace
}  // namespace sm::sync
