// What the machine answers before any flow begins: routing, methods, keys, media types and sizes;
// and the order of what it sends.
#include <gtest/gtest.h>

#include <cstdio>
#include <set>
#include <tuple>

#include "core/api/route.h"
#include "core/base/encoding.h"
#include "core/base/limits.h"
#include "core/machine.h"
#include "tests/core/scripted_world.h"

namespace sm {
namespace {

// The route's path with 1 for each id.
std::string path_of(const api::Route& route) {
  std::string path;
  bool inside = false;
  for (char c : route.path) {
    if (c == '{') path += '1';
    inside = c == '{' || (inside && c != '}');
    if (!inside && c != '}') path += c;
  }
  return path;
}

std::set<std::string> words(const std::string& list) {
  std::set<std::string> found;
  for (size_t at = 0; at < list.size();) {
    size_t end = std::min(list.find(", ", at), list.size());
    found.insert(list.substr(at, end - at));
    at = end + 2;
  }
  return found;
}

TEST(Routing, EveryMethodThatAPathLacksIs405WithThoseThatItHas) {
  for (const api::Route& route : api::routes()) {
    std::string path = path_of(route);
    std::set<std::string> allowed = {"OPTIONS"};
    for (const api::Route& other : api::routes()) {
      if (other.path != route.path) continue;
      allowed.insert(std::string(other.method));
      if (other.method == "GET") allowed.insert("HEAD");
    }
    for (const char* method : {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "get"}) {
      ScriptedHost host;
      Step step = host.start(method, path, false, "no key");
      if (allowed.contains(method)) {
        // HEAD has no body to look into; access comes first, so that nothing is asked for.
        if (route.access == api::Access::key) EXPECT_EQ(step.status(), 401) << method << path;
        continue;
      }
      ASSERT_TRUE(step.done()) << method << path;
      EXPECT_EQ(step.status(), 405) << method << path;
      EXPECT_EQ(words(step.header("allow")), allowed) << path;
    }
    ScriptedHost host;
    Step options = host.start("OPTIONS", path, false, "no key");
    EXPECT_EQ(options.status(), 204) << path;
    EXPECT_EQ(words(options.header("allow")), allowed) << path;
  }
}

TEST(Routing, PathsThatOnlyLookLikeOnesAreUnknown) {
  for (const char* path : {"",
                           "/sources/",
                           "/sources//",
                           "//sources",
                           "/Sources",
                           "/sources/0",
                           "/sources/01",
                           "/sources/-1",
                           "/sources/1/",
                           "/sources/a",
                           "/sources/1%30",
                           "/sources/1/import/",
                           "/sources/1/properties/x",
                           "/sources/{id}",
                           "/sync/1",
                           "/sync/1/x",
                           "/sync/1/1/1",
                           "/docs/",
                           "/docs/other.js",
                           "/openapi.json/",
                           "sources",
                           "*",
                           "/sources#"}) {
    for (const char* method : {"GET", "POST", "OPTIONS"}) {
      ScriptedHost host;
      Step step = host.start(method, path);
      ASSERT_TRUE(step.done()) << path;
      EXPECT_EQ(step.status(), 404) << method << " " << path;
    }
  }
}

TEST(Routing, AnIdLargerThanAnyIsARowThatDoesNotExist) {
  ScriptedHost host;
  host.start("GET", "/sources/99999999999999999999");
  Step step = host.resume(rows({kGoodKey}));
  ASSERT_EQ(step.effect(), "query");
  EXPECT_EQ(step.params(0)[1], 0);
  step = host.resume(rows({{}}));
  // What is missing is looked up once more, so that the answer can name it.
  ASSERT_EQ(step.effect(), "query");
  step = host.resume(rows({{}}));
  EXPECT_EQ(step.status(), 404);
  EXPECT_NE(step.body().find("no source with this id"), std::string::npos) << step.body();
}

TEST(Health, AVariableThatMeansNothingIsNamed) {
  for (const char* days : {"", "0", "30", "36500"}) {
    ScriptedHost host;
    host.set_var("RETENTION_DAYS", days);
    host.start("GET", "/health");
    EXPECT_EQ(host.resume(rows({{{ScriptedHost::kNowMs}}})).status(), 200) << days;
  }
  for (const char* days : {"thirty", "30 days", "-1", "36501", "1.5", "99999999999999999999"}) {
    ScriptedHost host;
    host.set_var("RETENTION_DAYS", days);
    host.start("GET", "/health");
    Step step = host.resume(rows({{{ScriptedHost::kNowMs}}}));
    EXPECT_EQ(step.status(), 503) << days;
    EXPECT_EQ(Json::parse(step.body(), nullptr, false)["invalid"], Json::array({"RETENTION_DAYS"}));
  }
}

// The bodies of all refusals of a key are the same.
TEST(Access, MissingMalformedUnknownAndRevokedKeysHaveOneAnswer) {
  ScriptedHost missing;
  Step step = missing.start_with("GET", "/sources", false, Json::array());
  ASSERT_TRUE(step.done());
  EXPECT_EQ(step.status(), 401);
  EXPECT_NE(step.header("www-authenticate"), "none");
  std::string body = step.body();
  for (const std::string& key :
       {std::string(31, 'k'), std::string(129, 'k'), "sm_" + std::string(48, '0'),
        "sm_" + std::string(47, '0'), std::string(40, ' '), std::string(40, '\x7f')}) {
    ScriptedHost host;
    step = host.start("GET", "/sources", false, key);
    ASSERT_TRUE(step.done()) << "asks the store for " << key;
    EXPECT_EQ(step.body(), body);
  }
  ScriptedHost unknown;
  unknown.start("GET", "/sources");
  step = unknown.resume(rows({{}}));
  EXPECT_EQ(step.status(), 401);
  EXPECT_EQ(step.body(), body);
}

std::string made_key(const std::string& body) {
  char checksum[9];
  std::snprintf(checksum, sizeof checksum, "%08x", static_cast<unsigned>(crc32(body)));
  return "sm_" + body + checksum;
}

std::string key_of_tenant(int64_t tenant) {
  return made_key(std::to_string(tenant) + "_" + std::string(40, 'k'));
}

TEST(Access, KeysThatNameNoTenantAreLookedUpFirst) {
  for (const std::string& key : {made_key(std::string(40, 'k')), std::string(40, 'k')}) {
    ScriptedHost host;
    Step step = host.start("GET", "/sources", false, key);
    ASSERT_EQ(step.effect(), "query");
    EXPECT_EQ(step.statements(), 1u);
    EXPECT_EQ(step.statement(0), store::key_owner("", "").number);
  }
  for (const char* name : {"_", "07_", "-1_", "7", "1234567890123456_", "7__", "x_"}) {
    ScriptedHost host;
    Step step = host.start("GET", "/sources", false, made_key(name + std::string(40, 'k')));
    ASSERT_TRUE(step.done()) << name;
    EXPECT_EQ(step.status(), 401) << name;
  }
}

TEST(Access, AKeyThatNamesItsTenantIsCheckedInTheFirstCall) {
  ScriptedHost host;
  Step step = host.start("GET", "/sources", false, key_of_tenant(7));
  ASSERT_EQ(step.effect(), "query");
  EXPECT_EQ(step.statements(), 4u);
  EXPECT_EQ(step.statement(0), store::guard_key({}, "", "", 0).number);
  EXPECT_EQ(step.params(0)[0], 7);
  step = host.resume(rows({{}, {}, {{0, 0, 0}}, {}}));
  ASSERT_TRUE(step.done());
  EXPECT_EQ(step.status(), 200);
  EXPECT_EQ(step.body(), "[]\n");
}

TEST(Access, AKeyThatIsNotTheTenantsIsRefusedLikeAnyOther) {
  ScriptedHost missing;
  std::string refusal = missing.start_with("GET", "/sources", false, Json::array()).body();
  for (const char* target :
       {"/sources", "/sources/1", "/sources?nothing=1", "/sync/1/1", "/keys"}) {
    for (const char* method : {"GET", "POST", "PATCH", "DELETE"}) {
      ScriptedHost host;
      Step step = host.start(method, target, false, key_of_tenant(7));
      if (step.done()) {
        EXPECT_EQ(step.status(), 405) << method << " " << target;
        continue;
      }
      EXPECT_EQ(step.statement(0), store::guard_key({}, "", "", 0).number);
      step = host.resume(fails("guard:key_refused"));
      ASSERT_TRUE(step.done()) << "the store is asked on: " << method << " " << target;
      EXPECT_EQ(step.status(), 401) << method << " " << target;
      EXPECT_EQ(step.body(), refusal);
    }
  }
}

TEST(Access, WhatNeedsNoStoreIsToldToNobodyElse) {
  for (bool good : {true, false}) {
    ScriptedHost host;
    Step step = host.start_with("POST", "/sources", true,
                                Json::array({Json::array({"x-api-key", key_of_tenant(7)}),
                                             Json::array({"content-type", "text/plain"})}));
    ASSERT_EQ(step.effect(), "query");
    EXPECT_EQ(step.statements(), 2u);
    step = host.resume(good ? rows({{}, {}}) : fails("guard:key_refused"));
    ASSERT_TRUE(step.done());
    EXPECT_EQ(step.status(), good ? 415 : 401);
  }
}

TEST(Access, NoLongBodyIsReadBeforeTheKeyIsKnownToBeGood) {
  for (const char* length : {"100", "100000", ""}) {
    ScriptedHost host;
    Json headers = Json::array({Json::array({"x-api-key", key_of_tenant(7)})});
    if (*length != 0) headers.push_back(Json::array({"content-length", length}));
    Step step = host.start_with("POST", "/sources", true, headers);
    EXPECT_EQ(step.effect(), std::string_view(length) == "100" ? "read_body" : "query");
  }
  ScriptedHost import;
  EXPECT_EQ(import.start("POST", "/sources/1/import", true, key_of_tenant(7)).effect(), "query");
}

TEST(Access, TheStoreSeesOnlyAHashOfTheKey) {
  ScriptedHost host;
  std::string key(40, 'k');
  Step step = host.start("GET", "/sources", false, key);
  ASSERT_EQ(step.effect(), "query");
  EXPECT_EQ(step.head.dump().find(key), std::string::npos);
  EXPECT_EQ(step.params(0)[0].get<std::string>().size(), 64u);
}

Step post(const Json& headers, bool has_body = true) {
  ScriptedHost host;
  Json all = headers;
  all.push_back(Json::array({"x-api-key", std::string(40, 'k')}));
  host.start_with("POST", "/sources", has_body, all);
  return host.resume(rows({kGoodKey}));
}

TEST(Media, OnlyJsonIsRead) {
  for (const char* type : {"application/json", "Application/JSON; charset=utf-8", "",
                           "application/x-www-form-urlencoded"}) {
    EXPECT_EQ(post(Json::array({Json::array({"content-type", type})})).effect(), "read_body")
        << type;
  }
  for (const char* type : {"text/plain", "application/xml", "application/merge-patch+json", "json",
                           "multipart/form-data; boundary=x"}) {
    Step step = post(Json::array({Json::array({"content-type", type})}));
    ASSERT_TRUE(step.done()) << type;
    EXPECT_EQ(step.status(), 415) << type;
  }
  EXPECT_EQ(post(Json::array({Json::array({"content-encoding", "gzip"})})).status(), 415);
  EXPECT_EQ(post(Json::array({Json::array({"content-encoding", "Identity"})})).effect(),
            "read_body");
}

TEST(Size, AnAnnouncedBodyThatIsTooLargeIsNotRead) {
  for (const char* length : {"1048577", "99999999999999999999999999"}) {
    Step step = post(Json::array({Json::array({"content-length", length})}));
    ASSERT_TRUE(step.done()) << length;
    EXPECT_EQ(step.status(), 413) << length;
  }
  EXPECT_EQ(post(Json::array({Json::array({"content-length", "1048576"})})).effect(), "read_body");
}

TEST(Size, ABodyThatGrowsTooLargeIsNotReadToItsEnd) {
  ScriptedHost host;
  host.start("POST", "/sources", true);
  Step step = host.resume(rows({kGoodKey}));
  int parts = 0;
  while (!step.done() && parts < 100) {
    ASSERT_EQ(step.effect(), "read_body");
    step = host.resume(body_part(std::string(256 * 1024, ' ')));
    ++parts;
  }
  EXPECT_EQ(step.status(), 413);
  EXPECT_EQ(parts, 5);
}

TEST(Body, ArrivesInPartsOfAnySize) {
  std::string body = R"({"name":"größe 😀","type":"json"})";
  for (size_t bytes = 1; bytes <= body.size(); ++bytes) {
    ScriptedHost host;
    ScriptedWorld world(body);
    world.part_bytes = bytes;
    Step step = host.start("POST", "/sources", true);
    for (int i = 0; i < 200 && !step.done(); ++i) step = world.perform(host, step);
    ASSERT_EQ(step.status(), 201) << bytes;
    EXPECT_EQ(Json::parse(step.body(), nullptr, false)["name"], "größe 😀");
    EXPECT_EQ(step.header("location"), "/sources/100");
  }
}

TEST(Import, ArrivesInPartsOfAnySize) {
  std::string body = R"({"data":[{"id":"größe 😀"},{"id":2,"v":[1.50,{"a":"\u00e9"}]},3]})";
  std::string first;
  for (size_t bytes = 1; bytes <= body.size(); ++bytes) {
    ScriptedHost host;
    ScriptedWorld world(body);
    world.part_bytes = bytes;
    Step step = host.start("POST", "/sources/1/import", true);
    for (int i = 0; i < 200 && !step.done(); ++i) step = world.perform(host, step);
    ASSERT_EQ(step.status(), 200) << bytes;
    if (first.empty()) first = step.body();
    EXPECT_EQ(step.body(), first) << bytes;
  }
  EXPECT_NE(first.find(R"("created":2,"updated":0,"skipped":0,"failed":1)"), std::string::npos);
}

TEST(Head, IsAnsweredLikeGetWithoutABody) {
  for (const char* target :
       {"/sources/1", "/sources/1/properties", "/docs", "/sources/1/properties?limit=10"}) {
    ScriptedHost host;
    ScriptedWorld world("");
    Step step = host.start("HEAD", target);
    for (int i = 0; i < 20 && !step.done(); ++i) {
      EXPECT_EQ(step.effect(), "query");
      step = world.perform(host, step);
    }
    ASSERT_EQ(step.effect(), "respond") << target;
    EXPECT_EQ(step.status(), 200) << target;
    // The host knows the tag of a file, and that nobody wants its bytes.
    const Json& respond = step.head["effects"][0];
    EXPECT_EQ(respond.contains("asset"), std::string_view(target) == "/docs") << target;
    for (const char* member : {"section", "stream"})
      EXPECT_FALSE(respond.contains(member)) << target;
  }
}

// Steps of a streamed list by their effect.
std::vector<std::string> stream_of(int64_t source_rows, std::string* written) {
  ScriptedHost host;
  ScriptedWorld world("");
  world.source_rows = source_rows;
  std::vector<std::string> effects;
  Step step = host.start("GET", "/sources/1/properties");
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(step.head["effects"].size(), 1u) << "nothing runs ahead of the reader";
    // A page goes out in parts.
    if (effects.empty() || effects.back() != "write" || step.effect() != "write") {
      effects.push_back(step.effect());
    }
    if (step.done()) break;
    step = world.perform(host, step);
  }
  *written = world.written();
  return effects;
}

TEST(Stream, EachPageIsReadOnlyWhenTheReaderHasRoomForMore) {
  std::string written;
  using Effects = std::vector<std::string>;
  constexpr int64_t kRows = kStreamSliceRows * 5 / 2;
  EXPECT_EQ(stream_of(kRows, &written), (Effects{"query", "query", "respond", "write", "query",
                                                 "write", "query", "query", "write", "end"}));
  Json list = Json::parse(written, nullptr, false);
  ASSERT_EQ(list.size(), static_cast<size_t>(kRows));
  for (size_t i = 0; i < list.size(); ++i) ASSERT_EQ(list[i]["id"], i + 1);
}

TEST(Stream, ListsOfEveryLengthAroundAPageAreWhole) {
  constexpr int64_t kPage = kStreamSliceRows;
  for (int64_t count :
       {kPage, kPage + 1, kPage + 2, 2 * kPage - 1, 2 * kPage, 2 * kPage + 1, 3 * kPage}) {
    std::string written;
    EXPECT_EQ(stream_of(count, &written).back(), "end");
    EXPECT_EQ(Json::parse(written, nullptr, false).size(), static_cast<size_t>(count));
  }
}

TEST(Stream, AListThatFitsAPageIsAWholeAnswer) {
  for (int64_t count : {int64_t{0}, int64_t{1}, kStreamSliceRows - 1}) {
    ScriptedHost host;
    ScriptedWorld world("");
    world.source_rows = count;
    Step step = host.start("GET", "/sources/1/properties");
    for (int i = 0; i < 20 && !step.done(); ++i) step = world.perform(host, step);
    ASSERT_EQ(step.effect(), "respond");
    EXPECT_EQ(Json::parse(step.body(), nullptr, false).size(), static_cast<size_t>(count));
  }
}

TEST(Stream, AReaderThatIsGoneCutsItOffWithoutReadingOn) {
  ScriptedHost host;
  ScriptedWorld world("");
  Step step = host.start("GET", "/sources/1/properties");
  while (step.effect() != "write") step = world.perform(host, step);
  step = host.resume(fails("cancelled"));
  EXPECT_TRUE(step.done());
  EXPECT_EQ(step.effect(), "abort");
}

TEST(Stream, AListWhoseParentGoesWhileItStreamsIsCutOff) {
  for (int64_t left : {int64_t{0}, kStreamSliceRows * 2}) {
    ScriptedHost host;
    ScriptedWorld world("");
    Step step = host.start("GET", "/sources/1/properties");
    while (step.effect() != "write") step = world.perform(host, step);
    world.source_exists = false;
    world.source_rows = left;
    while (!step.done()) step = world.perform(host, step);
    EXPECT_EQ(step.effect(), "abort");
    EXPECT_NE(world.written().back(), ']');
  }
}

TEST(Lists, RowsThatAreTooLargeForTheirSliceComeInASmallerOneEachOnce) {
  for (int64_t bytes : {kStreamSliceBytes / kStreamSliceRows + 1, kPageBytes / kMaxPageRows,
                        int64_t{100'000}, int64_t{512} * 1024}) {
    for (const char* query : {"", "?limit=100", "?limit=1000"}) {
      ScriptedHost host;
      ScriptedWorld world("");
      world.source_rows = 40;
      world.bytes_of_row = [&](int64_t id) { return id % 20 == 3 ? bytes : 2; };
      Step step = host.start("GET", std::string("/sources/1/properties") + query);
      for (int i = 0; i < 200 && !step.done(); ++i) step = world.perform(host, step);
      ASSERT_TRUE(step.done());
      Json list =
          Json::parse(step.effect() == "end" ? world.written() : step.body(), nullptr, false);
      ASSERT_EQ(list.size(), 40u) << query << " with rows of " << bytes;
      for (size_t i = 0; i < list.size(); ++i) ASSERT_EQ(list[i]["id"], i + 1);
    }
  }
}

TEST(Pages, ReserveTheirMemoryBeforeTheyRead) {
  for (const auto& [query, least, most] :
       {std::tuple{"?limit=5", uint64_t{0}, uint64_t{0}},
        std::tuple{"?limit=100", uint64_t{1'000'000}, uint64_t{3'000'000}},
        std::tuple{"?limit=1000", uint64_t{6 * kPageBytes}, uint64_t{10'000'000}},
        std::tuple{"", uint64_t{1'000'000}, uint64_t{3'000'000}}}) {
    ScriptedHost host;
    ScriptedWorld world("");
    Step step =
        world.perform(host, host.start("GET", std::string("/sources/1/properties") + query));
    EXPECT_EQ(step.effect(), "query") << "of the list, whose key is known";
    EXPECT_GE(host.reserved_bytes(), least) << query;
    EXPECT_LE(host.reserved_bytes(), most) << query;
  }
}

TEST(Pages, FollowEachOtherByTheirLinksWithoutRepeatOrGap) {
  std::string target = "/sources/1/properties?limit=7&updated_since=2020-01-01T00:00:00+02:00";
  int64_t next = 1;
  int pages = 0;
  while (true) {
    ASSERT_LT(++pages, 20);
    ScriptedHost host;
    ScriptedWorld world("");
    world.source_rows = 20;
    Step step = host.start("GET", target);
    for (int i = 0; i < 20 && !step.done(); ++i) step = world.perform(host, step);
    ASSERT_EQ(step.status(), 200) << target;
    for (const Json& row : Json::parse(step.body(), nullptr, false)) EXPECT_EQ(row["id"], next++);
    std::string link = step.header("link");
    if (link == "none") break;
    target = link.substr(1, link.find('>') - 1);
    EXPECT_EQ(link.substr(link.find('>')), ">; rel=\"next\"");
    EXPECT_NE(target.find("limit=7"), std::string::npos);
    EXPECT_NE(target.find("updated_since=2020-01-01T00"), std::string::npos) << "keeps filters";
  }
  EXPECT_EQ(next, 21);
  EXPECT_EQ(pages, 3);
}

TEST(Pages, ACursorThatWeDidNotMakeThereIs422) {
  for (const char* target :
       {"/sources/1/properties?cursor=x",
        "/sources/1/properties?cursor=", "/sources/1/properties?cursor=AAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "/sources/1/properties?limit=0", "/sources/1/properties?limit=1001",
        "/sources/1/properties?limit=-1", "/sources/1/properties?limit=1&limit=2"}) {
    ScriptedHost host;
    ScriptedWorld world("");
    Step step = host.start("GET", target);
    for (int i = 0; i < 20 && !step.done(); ++i) step = world.perform(host, step);
    EXPECT_EQ(step.status(), 422) << target;
  }
}

TEST(MachineDeathTest, StartingTwiceAndResumingWhatDoesNotWaitTrap) {
  ScriptedHost running;
  running.start("GET", "/sources");
  EXPECT_DEATH((void)running.start("GET", "/sources"), "check failed");
  ScriptedHost done;
  done.start("GET", "/nothing");
  EXPECT_DEATH((void)done.resume(ok()), "check failed");
  ScriptedHost idle;
  EXPECT_DEATH((void)idle.resume(ok()), "check failed");
}

TEST(MachineDeathTest, AResumeWithoutRepliesTraps) {
  ScriptedHost host;
  host.start("GET", "/sources");
  EXPECT_DEATH((void)host.resume(ok(), 0), "check failed");
}

}  // namespace
}  // namespace sm
