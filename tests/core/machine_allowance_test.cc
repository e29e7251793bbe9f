// How much is let through, through the machine: requests that the host counts, sign-ups that the
// store counts, turns of writes, and who is waited for.
#include <gtest/gtest.h>

#include <cstdio>

#include "core/api/route.h"
#include "core/base/encoding.h"
#include "core/base/limits.h"
#include "core/flow/rates.h"
#include "tests/core/scripted_world.h"

namespace sm {
namespace {

std::string key_of_tenant_7() {
  std::string body = "7_" + std::string(40, 'k');
  char checksum[9];
  std::snprintf(checksum, sizeof checksum, "%08x", static_cast<unsigned>(crc32(body)));
  return "sm_" + body + checksum;
}

// As a client sends it that knows how long its body is.
Step post_source(ScriptedHost& host, const std::string& body) {
  Json headers = {{"x-api-key", key_of_tenant_7()},
                  {"content-length", std::to_string(body.size())}};
  Json list = Json::array();
  for (const auto& [name, value] : headers.items()) list.push_back(Json::array({name, value}));
  return host.start_with("POST", "/sources", true, list);
}

std::string path_of(const api::Route& route) {
  std::string path(route.path);
  for (size_t at = path.find('{'); at != std::string::npos; at = path.find('{')) {
    path.replace(at, path.find('}') - at + 1, "7");
  }
  return path;
}

TEST(RequestRate, EveryRouteThatAsksWhoCallsIsCountedBeforeAnythingElseIsAsked) {
  int counted = 0;
  for (const api::Route& route : api::routes()) {
    ScriptedHost host;
    host.set_var("MAX_REQUESTS_PER_SECOND", "5");
    Step step = host.start(std::string(route.method), path_of(route), false, key_of_tenant_7());
    if (route.access == api::Access::open) {
      EXPECT_NE(step.effect(), "count") << route.path;
      continue;
    }
    ++counted;
    ASSERT_EQ(step.effect(), "count") << route.method << " " << route.path;
    std::string of = step.head["effects"][0]["of"].get<std::string>();
    bool by_key = route.access == api::Access::key;
    EXPECT_EQ(of == "address 192.0.2.1", !by_key) << of;
    EXPECT_EQ(of.find("kkkk"), std::string::npos) << "never the key itself";
    step = host.resume(fails("spent"));
    ASSERT_TRUE(step.done());
    EXPECT_EQ(step.status(), 429) << route.path;
    EXPECT_EQ(step.header("retry-after"), "10");
    EXPECT_EQ(step.header("ratelimit-policy"), "\"requests\";q=50;w=10");
    EXPECT_EQ(step.header("ratelimit"), "\"requests\";r=0;t=10");
  }
  EXPECT_GT(counted, 25);
}

TEST(RequestRate, KeysAreCountedEachByItself) {
  std::vector<std::string> of;
  for (char c : {'a', 'a', 'b'}) {
    ScriptedHost host;
    host.set_var("MAX_REQUESTS_PER_SECOND", "5");
    Step step = host.start("GET", "/sources", false, std::string(40, c));
    of.push_back(step.head["effects"][0]["of"].get<std::string>());
  }
  EXPECT_EQ(of[0], of[1]);
  EXPECT_NE(of[0], of[2]);
}

TEST(RequestRate, WhatIsLetThroughOrCannotBeCountedGoesOn) {
  for (const ScriptedReply& reply : {ok(), fails("no_counter")}) {
    ScriptedHost host;
    host.set_var("MAX_REQUESTS_PER_SECOND", "5");
    host.start("GET", "/sources", false, key_of_tenant_7());
    EXPECT_EQ(host.resume(reply).effect(), "query");
  }
}

TEST(RequestRate, IsThatOfTheStandardWhereNothingIsSetAndNoneWhereItIsNought) {
  for (const char* set : {"", "many"}) {
    ScriptedHost host;
    host.set_var("MAX_REQUESTS_PER_SECOND", set);
    ASSERT_EQ(host.start("GET", "/sources").effect(), "count");
    std::string policy = host.resume(fails("spent")).header("ratelimit-policy");
    EXPECT_EQ(policy, "\"requests\";q=500;w=10");
  }
  ScriptedHost none;
  none.set_var("MAX_REQUESTS_PER_SECOND", "0");
  EXPECT_EQ(none.start("GET", "/sources").effect(), "query");
}

TEST(RequestRate, ADeploymentWithoutACounterIsDegraded) {
  ScriptedHost host;
  host.set_var("MAX_REQUESTS_PER_SECOND", "5");
  host.start("GET", "/health");
  Step step = host.resume(rows({{{ScriptedHost::kNowMs}}}));
  ASSERT_EQ(step.effect(), "count");
  step = host.resume(fails("no_counter"));
  EXPECT_EQ(step.status(), 503);
  EXPECT_EQ(Json::parse(step.body(), nullptr, false)["missing"], Json::array({"REQUEST_RATE"}));
}

TEST(Allowances, AVariableThatIsNoNumberIsNamed) {
  for (const char* name :
       {"MAX_PROPERTIES", "MAX_DATA_BYTES", "MAX_SOURCES", "MAX_TARGETS", "MAX_KEYS",
        "MAX_REQUESTS_PER_SECOND", "MAX_SIGNUPS_PER_HOUR", "MAX_WRITES_AT_ONCE"}) {
    for (const char* set : {"-1", "1.5", "many", "9007199254740992"}) {
      ScriptedHost host;
      host.set_var(name, set);
      host.start("GET", "/health");
      Step step = host.resume(rows({{{ScriptedHost::kNowMs}}}));
      if (step.effect() == "count") step = host.resume(ok());
      EXPECT_EQ(step.status(), 503) << name << " " << set;
      EXPECT_EQ(Json::parse(step.body(), nullptr, false)["invalid"], Json::array({name}));
    }
  }
}

TEST(Addresses, OfOneNetworkOfIpv6CountAsOne) {
  EXPECT_EQ(flow::network_of("192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(flow::network_of("2001:db8:1:2::1"), flow::network_of("2001:db8:1:2:ffff::9"));
  EXPECT_NE(flow::network_of("2001:db8:1:2::1"), flow::network_of("2001:db8:1:3::1"));
  EXPECT_NE(flow::network_of("::ffff:192.0.2.1"), flow::network_of("::ffff:192.0.2.2"));
  EXPECT_EQ(flow::network_of(""), "");
}

TEST(Signups, AreCountedByAddressButForTheAdministrator) {
  ScriptedHost host;
  host.set_var("TENANT_SIGNUP", "open");
  host.set_var("MAX_SIGNUPS_PER_HOUR", "3");
  ScriptedWorld world(R"({"name":"One"})");
  Step step = world.perform(host, host.start("POST", "/tenants", true));
  while (step.effect() == "read_body") step = world.perform(host, step);
  ASSERT_EQ(step.effect(), "batch");
  EXPECT_EQ(step.name(0), "guard_signups");
  EXPECT_EQ(step.params(0)[2], 2) << "as many as leave room for one more";
  EXPECT_EQ(step.params(0)[0].get<std::string>().find("192"), std::string::npos);
  step = host.resume(fails("guard:signups_over"));
  EXPECT_EQ(step.status(), 429);
  EXPECT_EQ(step.header("ratelimit-policy"), "\"signups\";q=3;w=3600");
  int64_t left_s = 3600 - ScriptedHost::kNowMs / 1000 % 3600;
  EXPECT_NEAR(std::stod(step.header("retry-after")), static_cast<double>(left_s), 1);
}

TEST(Turns, AreTakenBehindTheCheckOfTheKeyAndOfWritesAlone) {
  ScriptedHost host;
  host.set_var("MAX_WRITES_AT_ONCE", "2");
  const std::string kBody = R"({"name":"A","type":"json","config":{}})";
  ScriptedWorld world(kBody);
  Step step = post_source(host, kBody);
  auto turn = [](const Step& at) { return at.head["effects"][0]["turn"]; };
  while (step.effect() == "read_body") step = world.perform(host, step);
  ASSERT_EQ(step.effect(), "batch");
  EXPECT_EQ(step.name(0), "guard_key");
  EXPECT_EQ(turn(step), "") << "whoever sent it is yet to be known";
  step = host.resume(rows({{}, {}, {{5}}}));
  ASSERT_EQ(step.effect(), "batch");
  EXPECT_EQ(turn(step), "7");
  EXPECT_EQ(step.head["effects"][0]["at_once"], 2);
}

TEST(Turns, AreNotAskedForWhereThereIsNoLimit) {
  ScriptedHost host;
  host.set_var("MAX_WRITES_AT_ONCE", "0");
  ScriptedWorld world("");
  Step step = host.start("POST", "/cleanup");
  int batches = 0;
  for (int i = 0; i < 20 && !step.done(); ++i) {
    if (step.effect() == "batch") {
      ++batches;
      EXPECT_EQ(step.head["effects"][0]["turn"], "");
    }
    step = world.perform(host, step);
  }
  EXPECT_GT(batches, 0);
}

TEST(Bodies, ThatHaveNotComeAreWaitedForOnceItIsKnownWhoCalls) {
  for (bool late : {false, true}) {
    ScriptedHost host;
    if (late) host.send_bodies_late();
    Step step = post_source(host, "{}");
    EXPECT_EQ(step.effect(), late ? "query" : "read_body");
    if (late) EXPECT_EQ(host.resume(fails("guard:key_refused")).status(), 401);
  }
}

}  // namespace
}  // namespace sm
