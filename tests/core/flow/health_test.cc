#include "core/flow/health.h"

#include <gtest/gtest.h>

#include "core/base/limits.h"
#include "tests/core/scripted_host.h"

namespace sm {
namespace {

constexpr int64_t kNow = ScriptedHost::kNowMs;

std::string told(const Step& step) {
  return step.body().find("\"ok\":true") != std::string::npos ? "ok" : "not ok";
}

TEST(Health, AStoreThatDoesNotReadIsNotOk) {
  for (const ScriptedReply& answer : {fails("unavailable"), fails("overloaded"), rows({{}})}) {
    ScriptedHost host;
    host.start("GET", "/health");
    Step step = host.resume(answer);
    ASSERT_TRUE(step.done());
    EXPECT_EQ(step.status(), 503);
    EXPECT_EQ(told(step), "not ok");
  }
}

TEST(Health, AStoreThatHasWrittenALittleWhileAgoIsAskedOnce) {
  for (int64_t age : {int64_t{0}, kProbeMs - 2}) {
    ScriptedHost host;
    host.start("GET", "/health");
    Step step = host.resume(rows({{{kNow - age}}}));
    ASSERT_TRUE(step.done());
    EXPECT_EQ(told(step), "ok");
  }
}

TEST(Health, ElseItHasToWriteSomethingOnce) {
  for (int64_t last : {int64_t{0}, kNow - kProbeMs, kNow + kProbeMs}) {
    ScriptedHost host;
    host.start("GET", "/health");
    Step step = host.resume(rows({{{last}}}));
    ASSERT_EQ(step.effect(), "batch");
    step = host.resume(rows({{}}));
    ASSERT_TRUE(step.done());
    EXPECT_EQ(told(step), "ok");
  }
}

TEST(Health, AStoreThatReadsButTakesNoWritesIsNotOk) {
  for (const char* kind : {"unavailable", "unknown_outcome", "overloaded"}) {
    ScriptedHost host;
    host.start("GET", "/health");
    host.resume(rows({{{0}}}));
    Step step = host.resume(fails(kind));
    ASSERT_TRUE(step.done());
    EXPECT_EQ(step.status(), 503);
    EXPECT_EQ(told(step), "not ok");
  }
}

}  // namespace
}  // namespace sm
