#include "core/flow/cleanup.h"

#include <gtest/gtest.h>

#include "core/base/limits.h"
#include "tests/core/flow/scripted_flow.h"

namespace sm::flow {
namespace {

using CleanUp = ScriptedFlow<Result<std::string>>;

constexpr int64_t kAny = 77;

CleanUp clean_up_all() {
  return CleanUp([](Invocation& in) { return clean_up(in, TenantId{1}, kFlowStart); });
}

// Snapshots of sources, of targets, and candidates; sources and targets, and rows that a scan
// reads.
void find(CleanUp& flow, int64_t source, int64_t target, int64_t orphans, int64_t connectors,
          int64_t size) {
  Cells slice = {{source, kAny, kAny, kAny, target, kAny, kAny, kAny, orphans, kAny}};
  flow.rows({{{connectors, size}}, slice});
  if (size > kCleanupScanRows) flow.rows({slice});
}

bool scans(const CleanUp& flow) {
  return flow.asks(store::loose_data_deleted({}, "", 0, 0, 0, 0, 0, 0, 0));
}
bool looks_up(const CleanUp& flow) {
  return flow.asks(store::unreferenced_data_deleted({}, "", 0, 0, 0, 0, 0, 0, 0));
}

TEST(CleanUp, AFewDataOfALargeTenantAreLookedUp) {
  CleanUp flow = clean_up_all();
  find(flow, 25, 20, 5, 4, 1'000'000);
  ASSERT_TRUE(flow.asks_batch());
  EXPECT_TRUE(looks_up(flow));
  EXPECT_FALSE(scans(flow));
}

TEST(CleanUp, ManyDataAreComparedWithAllRowsOfTheTenant) {
  CleanUp flow = clean_up_all();
  find(flow, 10'000, 10'000, 0, 4, 40'000);
  ASSERT_TRUE(flow.asks_batch());
  EXPECT_TRUE(scans(flow));
  EXPECT_FALSE(looks_up(flow));
}

TEST(CleanUp, ATenantThatIsTooLargeIsNeverScanned) {
  for (int64_t size : {kCleanupScanRows, kCleanupScanRows + 1}) {
    CleanUp flow = clean_up_all();
    find(flow, 10'000, 10'000, 10'000, 4, size);
    EXPECT_EQ(scans(flow), size <= kCleanupScanRows) << size;
  }
}

TEST(CleanUp, WhatReadsLessIsChosenBySourcesAndTargetsToo) {
  constexpr int64_t kConnectors = 10;
  constexpr int64_t kAsMany = 100;
  for (int64_t candidates : {kAsMany - 1, kAsMany}) {
    CleanUp flow = clean_up_all();
    find(flow, candidates - 2, 1, 1, kConnectors, kAsMany * kConnectors * kLookUpRows);
    EXPECT_EQ(looks_up(flow), candidates < kAsMany) << candidates;
  }
}

TEST(CleanUp, ASliceThatIsNotFullEndsItWithItsBatch) {
  CleanUp flow = clean_up_all();
  find(flow, 3, 2, 1, 2, 10);
  ASSERT_TRUE(flow.asks_batch());
  const Statement* log =
      flow.find(store::log_added({}, "", "", "", {}, {}, 0, 0, 0, {}, {}, "", {}));
  ASSERT_NE(log, nullptr);
  EXPECT_EQ(std::get<std::string>(log->params[3]), "success");
  std::vector<Cells> results(flow.statements().size());
  results.back() = {{4, "{}"}};
  flow.rows(std::move(results));
  ASSERT_TRUE(flow.ended());
  EXPECT_EQ(flow.result().value(), "{}");
}

TEST(CleanUp, AFullSliceEndsItWhereNothingIsBehind) {
  CleanUp flow = clean_up_all();
  find(flow, kCleanupSliceRows, kCleanupSliceRows, kCleanupSliceRows, 2, 10);
  const Statement* log =
      flow.find(store::log_added({}, "", "", "", {}, {}, 0, 0, 0, {}, {}, "", {}));
  ASSERT_NE(log, nullptr);
  EXPECT_EQ(std::get<std::string>(log->params[3]), "success");
}

TEST(CleanUp, ASliceWithMoreBehindItLeavesTheRowRunningAndTheNextOneEndsIt) {
  CleanUp flow = clean_up_all();
  find(flow, kCleanupSliceRows + 1, 0, 0, 2, 10);
  const Statement* log =
      flow.find(store::log_added({}, "", "", "", {}, {}, 0, 0, 0, {}, {}, "", {}));
  ASSERT_NE(log, nullptr);
  EXPECT_EQ(std::get<std::string>(log->params[3]), "running");
  std::vector<Cells> results(flow.statements().size());
  results.back() = {{4, "{}"}};
  flow.rows(std::move(results));
  ASSERT_TRUE(flow.asks_query());
  find(flow, 0, 0, 0, 2, 10);
  ASSERT_TRUE(flow.asks_batch());
  EXPECT_FALSE(scans(flow) || looks_up(flow)) << "nothing is left to drop";
  const Statement* ended = flow.find(store::log_ended({}, {}, "", {}, ""));
  ASSERT_NE(ended, nullptr);
  EXPECT_EQ(std::get<int64_t>(ended->params[1]), 4);
}

}  // namespace
}  // namespace sm::flow
