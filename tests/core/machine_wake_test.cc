// A wake through the machine: how it begins and ends. What it does is tested with its flow.
#include <gtest/gtest.h>

#include "core/base/limits.h"
#include "core/machine.h"
#include "tests/core/scripted_host.h"

namespace sm {
namespace {

TEST(MachineWake, EndsWithoutAnAnswer) {
  ScriptedHost host;
  Step step = host.wake();
  while (!step.done()) {
    ASSERT_EQ(step.effect(), "query");
    step = host.resume(rows(std::vector<Cells>(step.statements())));
  }
  EXPECT_EQ(step.head["effects"].size(), 0u);
}

TEST(MachineWake, WhatGoesWrongIsLogged) {
  ScriptedHost host;
  EXPECT_FALSE(host.wake().done());
  Step step = host.resume(fails("unavailable"));
  EXPECT_TRUE(step.done());
  ASSERT_EQ(step.head["effects"].size(), 1u);
  EXPECT_EQ(step.effect(), "log");
  EXPECT_EQ(step.head["effects"][0]["level"], "error");
  std::string message = step.head["effects"][0]["message"].get<std::string>();
  EXPECT_TRUE(message.starts_with("wake: unavailable: ")) << message;
}

// What the work that is due is looked for as of.
std::string work_time(ScriptedHost& host, int64_t scheduled_ms) {
  Step step = host.wake(scheduled_ms);
  while (!step.done() && step.name(0) != "due_slots") {
    step = host.resume(rows(std::vector<Cells>(step.statements())));
  }
  host.close();
  return step.params(0)[0].get<std::string>();
}

TEST(MachineWake, ATriggerIsBelievedForAMinuteAheadOfTheClock) {
  ScriptedHost host;
  int64_t now = ScriptedHost::kNowMs;
  EXPECT_EQ(work_time(host, now), "2026-01-15T10:30:00.000Z");
  EXPECT_EQ(work_time(host, now - 3'600'000), "2026-01-15T10:30:00.000Z") << "late is now";
  EXPECT_EQ(work_time(host, now + 59'000), "2026-01-15T10:30:59.000Z");
  for (int64_t ahead : {int64_t{60'000}, int64_t{3'600'000}, int64_t{2'335'000'000'000}}) {
    EXPECT_EQ(work_time(host, now + ahead), "2026-01-15T10:31:00.000Z") << ahead;
  }
}

TEST(MachineWake, TestsMayLetTimePass) {
  ScriptedHost host;
  host.set_var("TRUST_SCHEDULED_TIME", "true");
  EXPECT_EQ(work_time(host, ScriptedHost::kNowMs + 3'600'000), "2026-01-15T11:30:00.000Z");
  for (const char* word : {"", "false", "1", "TRUE"}) {
    host.set_var("TRUST_SCHEDULED_TIME", word);
    EXPECT_EQ(work_time(host, ScriptedHost::kNowMs + 3'600'000), "2026-01-15T10:31:00.000Z");
  }
}

TEST(MachineWake, ALongMessageIsCutBetweenCharacters) {
  // Wherever the limit lies within a character of three bytes.
  for (size_t shift : {0, 1, 2}) {
    ScriptedHost host;
    EXPECT_FALSE(host.wake().done());
    std::string detail(shift, '-');
    while (detail.size() < kMaxLogBytes) detail += "€";
    Step step = host.resume(fails("unique:" + detail));
    ASSERT_TRUE(step.head.is_object()) << "the head is no JSON, with " << shift;
    ASSERT_EQ(step.effect(), "log");
    std::string message = step.head["effects"][0]["message"].get<std::string>();
    EXPECT_GT(message.size(), kMaxLogBytes - 3);
    EXPECT_LE(message.size(), kMaxLogBytes);
    EXPECT_TRUE(message.ends_with("€"));
  }
}

TEST(MachineWake, ARequestMayFollow) {
  ScriptedHost host;
  EXPECT_FALSE(host.wake().done());
  host.close();
  Step step = host.start("GET", "/nothing");
  EXPECT_EQ(step.status(), 404);
}

// `wrangler dev` answers the last of these itself; a deployment must not.
TEST(MachineWake, HooksOfLocalToolsAreUnknownPaths) {
  for (const char* hook : {"/__scheduled", "/cdn-cgi/local/scheduled?cron=*"}) {
    ScriptedHost host;
    Step step = host.start("GET", hook);
    EXPECT_TRUE(step.done()) << hook;
    EXPECT_EQ(step.status(), 404) << hook;
  }
}

TEST(MachineWakeDeathTest, AWakeDuringAnInvocationTraps) {
  ScriptedHost host;
  EXPECT_FALSE(host.wake().done());
  EXPECT_DEATH(host.wake(), "check failed");
}

}  // namespace
}  // namespace sm
