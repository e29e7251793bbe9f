// A wake through the machine: how it begins and ends. What it does is tested with its flow.
#include <gtest/gtest.h>

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
