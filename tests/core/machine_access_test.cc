// Who may do what, through the machine: keys that are good and do not allow it, the use of keys
// that is told behind the answer, the administrator, and secrets that are not as they must be.
#include <gtest/gtest.h>

#include <cstdio>

#include "core/api/route.h"
#include "core/base/encoding.h"
#include "core/base/limits.h"
#include "core/base/sha256.h"
#include "tests/core/scripted_world.h"

namespace sm {
namespace {

constexpr int64_t kHour = ScriptedHost::kNowMs / kHourMs;

std::string key_of_tenant_7() {
  std::string body = "7_" + std::string(40, 'k');
  char checksum[9];
  std::snprintf(checksum, sizeof checksum, "%08x", static_cast<unsigned>(crc32(body)));
  return "sm_" + body + checksum;
}

std::string path_of(const api::Route& route) {
  std::string path(route.path);
  for (size_t at = path.find('{'); at != std::string::npos; at = path.find('{')) {
    path.replace(at, path.find('}') - at + 1, "7");
  }
  return path;
}

Cells key(const Json& suspended_at, const char* scope, int64_t last_used_hour) {
  return {{7, suspended_at, scope, last_used_hour}};
}

TEST(KeyScope, EveryRouteThatWritesIsForbiddenToAKeyThatReads) {
  int writes = 0;
  for (const api::Route& route : api::routes()) {
    if (route.access != api::Access::key) continue;
    bool reads = route.method == "GET";
    writes += reads ? 0 : 1;
    ScriptedHost named;
    Step step = named.start(std::string(route.method), path_of(route), false, key_of_tenant_7());
    if (!step.done()) {
      EXPECT_EQ(step.params(0)[3], reads ? 0 : 1) << route.method << " " << route.path;
      step = named.resume(fails("guard:key_reads"));
    }
    EXPECT_EQ(step.status(), 403) << route.path;
    ScriptedHost looked_up;
    looked_up.start(std::string(route.method), path_of(route));
    step = looked_up.resume(rows({key(nullptr, "read", kHour)}));
    if (!reads) EXPECT_EQ(step.status(), 403) << route.method << " " << route.path;
  }
  EXPECT_GE(writes, 12);
}

TEST(Suspension, EveryRouteOfATenantIsForbidden) {
  for (const api::Route& route : api::routes()) {
    if (route.access != api::Access::key) continue;
    ScriptedHost named;
    named.start(std::string(route.method), path_of(route), false, key_of_tenant_7());
    EXPECT_EQ(named.resume(fails("guard:tenant_suspended")).status(), 403) << route.path;
    ScriptedHost looked_up;
    looked_up.start(std::string(route.method), path_of(route));
    Step step = looked_up.resume(rows({key("t", "full", kHour)}));
    ASSERT_TRUE(step.done()) << route.path;
    EXPECT_EQ(step.status(), 403) << route.path;
    EXPECT_NE(step.body().find("suspended"), std::string::npos) << step.body();
  }
}

TEST(KeyUse, IsToldToTheHourBehindTheAnswer) {
  for (int64_t last : {int64_t{0}, kHour - 1}) {
    ScriptedHost host;
    host.start("GET", "/sources");
    host.resume(rows({key(nullptr, "full", last)}));
    Step step = host.resume(rows({{{0, 0, 0}}, {}}));
    ASSERT_EQ(step.effect(), "respond");
    EXPECT_EQ(step.status(), 200);
    EXPECT_FALSE(step.done());
    step = host.resume(ok());
    ASSERT_EQ(step.effect(), "batch");
    EXPECT_EQ(step.statement(0), store::key_used({}, "", 0).number);
    EXPECT_EQ(step.params(0)[2], kHour);
    step = host.resume(rows({{}}));
    EXPECT_TRUE(step.done());
    EXPECT_EQ(step.head["effects"].size(), 0u);
  }
}

TEST(KeyUse, IsToldOnceAnHour) {
  ScriptedHost host;
  host.start("GET", "/sources");
  host.resume(rows({key(nullptr, "full", kHour)}));
  Step step = host.resume(rows({{{0, 0, 0}}, {}}));
  EXPECT_EQ(step.status(), 200);
  EXPECT_TRUE(step.done());
}

TEST(KeyUse, IsAskedForInTheCallThatSettlesTheKey) {
  for (bool idle : {true, false}) {
    ScriptedHost host;
    Step step = host.start("GET", "/sources", false, key_of_tenant_7());
    EXPECT_EQ(step.statement(1), store::key_idle({}, "", 0).number);
    EXPECT_EQ(step.params(1)[2], kHour);
    step = host.resume(rows({{}, idle ? Cells{{1}} : Cells{}, {{0, 0, 0}}, {}}));
    EXPECT_EQ(step.status(), 200);
    EXPECT_EQ(step.done(), !idle);
  }
}

TEST(KeyUse, ThatCannotBeToldChangesNothing) {
  ScriptedHost host;
  host.start("GET", "/sources");
  host.resume(rows({key(nullptr, "full", 0)}));
  host.resume(rows({{{0, 0, 0}}, {}}));
  host.resume(ok());
  Step step = host.resume(fails("unavailable"));
  EXPECT_TRUE(step.done());
  EXPECT_EQ(step.head["effects"].size(), 0u);
}

TEST(KeyUse, OfAStreamIsToldBehindItsEnd) {
  ScriptedHost host;
  ScriptedWorld world("");
  Step step = host.start("GET", "/sources/1/properties");
  step = host.resume(rows({key(nullptr, "full", 0)}));
  while (step.effect() != "end") step = world.perform(host, step);
  EXPECT_FALSE(step.done());
  step = host.resume(ok());
  ASSERT_EQ(step.effect(), "batch");
  EXPECT_EQ(step.statement(0), store::key_used({}, "", 0).number);
}

const std::string kToken = "a token of the administrator";

std::string digest_of(const std::string& text) {
  std::string digest = to_hex(sha256(text));
  for (char& c : digest) c = static_cast<char>(c >= 'a' ? c - 32 : c);
  return digest;
}

Step administer(ScriptedHost& host, const api::Route& route, const std::string& authorization) {
  Json headers = Json::array({Json::array({"x-api-key", key_of_tenant_7()})});
  if (!authorization.empty()) headers.push_back(Json::array({"authorization", authorization}));
  return host.start_with(std::string(route.method), path_of(route), false, headers);
}

TEST(Administrator, EveryRouteOfTheirsIsRefusedWithoutTheToken) {
  int walked = 0;
  for (const api::Route& route : api::routes()) {
    if (route.access != api::Access::administrator) continue;
    ++walked;
    std::string refusal;
    for (const std::string& given :
         {std::string(), std::string("Bearer"), std::string("Bearer "), "Bearer " + kToken + " ",
          kToken, "bearer " + kToken, "Basic " + kToken, "Bearer " + digest_of(kToken)}) {
      ScriptedHost host;
      host.set_secret("ADMIN_TOKEN", kToken.size(), digest_of(kToken));
      Step step = administer(host, route, given);
      ASSERT_TRUE(step.done()) << route.path << " " << given;
      EXPECT_EQ(step.status(), 401) << given;
      EXPECT_EQ(step.header("www-authenticate"), "Bearer");
      if (refusal.empty()) refusal = step.body();
      EXPECT_EQ(step.body(), refusal);
    }
    ScriptedHost without;
    EXPECT_EQ(administer(without, route, "Bearer ").body(), refusal) << "no token is set";
    ScriptedHost host;
    host.set_secret("ADMIN_TOKEN", kToken.size(), digest_of(kToken));
    EXPECT_FALSE(administer(host, route, "Bearer " + kToken).done()) << route.path;
  }
  EXPECT_EQ(walked, 4);
}

TEST(Administrator, ATokenThatIsTooShortLetsNobodyIn) {
  std::string token(kMinAdminTokenBytes - 1, 't');
  for (const api::Route& route : api::routes()) {
    if (route.access != api::Access::administrator && route.access != api::Access::signup) continue;
    ScriptedHost host;
    host.set_secret("ADMIN_TOKEN", token.size(), digest_of(token));
    Step step = administer(host, route, "Bearer " + token);
    ASSERT_TRUE(step.done()) << route.path;
    EXPECT_EQ(step.status(), 503);
    EXPECT_NE(step.body().find("not-configured"), std::string::npos) << step.body();
  }
}

struct BadSecret {
  const char* name;
  size_t bytes;
};

TEST(Secrets, OfTheWrongSizeAreNamedAndNotWorkedWith) {
  for (BadSecret bad : {BadSecret{"ADMIN_TOKEN", kMinAdminTokenBytes - 1},
                        {"API_KEY_PEPPER", kMinPepperBytes - 1},
                        {"ENCRYPTION_KEY", kEncryptionKeyBytes - 1},
                        {"ENCRYPTION_KEY", kEncryptionKeyBytes + 1}}) {
    ScriptedHost host;
    host.set_secret(bad.name, bad.bytes, std::string(128, 'A'));
    host.start("GET", "/health");
    Step step = host.resume(rows({{{ScriptedHost::kNowMs}}}));
    EXPECT_EQ(step.status(), 503) << bad.name;
    Json health = Json::parse(step.body(), nullptr, false);
    EXPECT_EQ(health["status"], "degraded");
    EXPECT_EQ(health["invalid"], Json::array({bad.name}));
    EXPECT_FALSE(health.contains("missing"));
  }
  ScriptedHost pepper;
  pepper.set_secret("API_KEY_PEPPER", kMinPepperBytes - 1, std::string(128, 'A'));
  EXPECT_EQ(pepper.start("GET", "/sources").status(), 503);
  ScriptedHost sealing;
  sealing.set_secret("ENCRYPTION_KEY", 31);
  ScriptedWorld world(R"({"name":"n","type":"json","config":{"token":"t"}})");
  Step step = sealing.start("POST", "/sources", true);
  while (!step.done()) step = world.perform(sealing, step);
  EXPECT_EQ(step.status(), 503);
  EXPECT_NE(step.body().find("ENCRYPTION_KEY"), std::string::npos) << step.body();
}

TEST(Secrets, ThatAreMissingAreNamedWhereTheyAreNeeded) {
  for (const char* name : {"ADMIN_TOKEN", "API_KEY_PEPPER", "ENCRYPTION_KEY"}) {
    ScriptedHost host;
    host.set_secret(name, 0);
    host.start("GET", "/health");
    Step step = host.resume(rows({{{ScriptedHost::kNowMs}}}));
    Json health = Json::parse(step.body(), nullptr, false);
    bool optional = std::string_view(name) == "ADMIN_TOKEN";
    EXPECT_EQ(step.status(), optional ? 200 : 503) << name;
    EXPECT_EQ(health.contains("missing"), !optional);
    if (!optional) EXPECT_EQ(health["missing"], Json::array({name}));
  }
}

}  // namespace
}  // namespace sm
