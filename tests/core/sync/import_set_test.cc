#include "core/sync/import_set.h"

#include <gtest/gtest.h>

#include <map>

#include "core/base/limits.h"

namespace sm::sync {
namespace {

// An import as a flow reads it: the whole body in one piece.
struct Imported {
  explicit Imported(const std::string& body, uint64_t seed = 1,
                    std::optional<json::PointerTokens> id_field = {})
      : set(std::move(id_field), seed) {
    json::ItemReader reader(json::kMaxRawItemBytes);
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
    if (item.state == ImportItem::State::superseded) continue;
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
      ASSERT_EQ(other.set.items()[i].state, first.set.items()[i].state) << i;
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
  EXPECT_NE(import.set.items()[0].state, ImportItem::State::superseded);
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
    EXPECT_EQ(import.set.data_bytes(), 0u);
  }
}

TEST(ImportSet, TheLimitsOfAPropertyAreStillTaken) {
  Imported import("{\"data\":[" + nested(128) + "," + sized(json::kMaxPropertyBytes) + "]}");
  EXPECT_EQ(import.set.failed(), 0u);
  ASSERT_EQ(import.set.items().size(), 2u);
  EXPECT_EQ(import.set.items()[1].data.size(), json::kMaxPropertyBytes);
  EXPECT_EQ(import.set.data_bytes(), json::kMaxPropertyBytes + import.set.items()[0].data.size());
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

}  // namespace
}  // namespace sm::sync
