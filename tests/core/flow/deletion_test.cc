#include "core/flow/deletion.h"

#include <gtest/gtest.h>

#include "core/base/limits.h"
#include "core/flow/wake.h"
#include "tests/core/flow/scripted_flow.h"

namespace sm::flow {
namespace {

using Clear = ScriptedFlow<Result<Unit>>;

constexpr TenantId kTenant{7};
constexpr int64_t kId = 5;

Clear clear_behind(Connector connector) {
  return Clear([=](Invocation& in) { return clear_away_behind(in, {kTenant, connector, kId}); });
}

bool takes_snapshots(const FlowScript& flow, Connector connector) {
  return flow.asks(store::first_snapshots_deleted(connector, {}, 0, 0));
}
bool takes_properties(const FlowScript& flow, Connector connector) {
  return flow.asks(store::first_properties_deleted(connector, {}, 0, 0));
}
bool ends(const FlowScript& flow, Connector connector) {
  return flow.asks(store::connector_deleted(connector, {}, 0));
}

// Rows that the statements of a slice ask for.
int64_t most_rows(const FlowScript& flow) {
  int64_t most = 0;
  for (const Statement& statement : flow.statements()) {
    EXPECT_EQ(std::get<int64_t>(statement.params[0]), kTenant.value);
    EXPECT_EQ(std::get<int64_t>(statement.params[1]), kId);
    most = std::max(most, std::get<int64_t>(statement.params.back()));
  }
  return most;
}

// As many rows went with the last statement.
void went(FlowScript& flow, int64_t rows) {
  std::vector<Cells> results(flow.statements().size());
  for (int64_t i = 0; i < rows; ++i) results.back().push_back({});
  flow.rows(std::move(results));
}

TEST(Deletion, SnapshotsGoBeforePropertiesAndTheRowGoesLast) {
  for (Connector connector : {Connector::source, Connector::target}) {
    Clear flow = clear_behind(connector);
    ASSERT_TRUE(takes_snapshots(flow, connector));
    EXPECT_EQ(most_rows(flow), kDeletionSliceRows);
    went(flow, kDeletionSliceRows);
    ASSERT_TRUE(takes_snapshots(flow, connector)) << "there may be more";
    went(flow, kDeletionSliceRows - 1);
    if (connector == Connector::source) {
      ASSERT_TRUE(flow.asks(store::fed_targets_counted({}, {})));
      flow.rows({{{1}}});
      EXPECT_TRUE(flow.asks(store::first_properties_untied({}, 0, 0)));
    }
    ASSERT_TRUE(takes_properties(flow, connector));
    EXPECT_EQ(most_rows(flow), kDeletionSliceRows);
    went(flow, kDeletionSliceRows);
    ASSERT_TRUE(takes_properties(flow, connector));
    went(flow, 0);
    ASSERT_TRUE(ends(flow, connector));
    flow.rows();
    ASSERT_TRUE(flow.asks(store::cleanup_slice({}, "", 0))) << "data count until they are dropped";
    flow.rows({{{1, 100}}, {{0, 0, 0, 0, 0, 0, 0, 0, 7, 70}}});
    ASSERT_TRUE(flow.asks(store::orphans_checked({}, 0)));
    flow.rows();
    ASSERT_TRUE(flow.ended());
    EXPECT_TRUE(flow.result().ok());
  }
}

TEST(Deletion, ASliceHasFewerPropertiesWhereEachIsLookedUpInManyTargets) {
  for (int64_t targets : {0, 1, 4, 100, 100'000}) {
    Clear flow = clear_behind(Connector::source);
    went(flow, 0);
    flow.rows({{{targets}}});
    ASSERT_TRUE(takes_properties(flow, Connector::source));
    int64_t look_ups = most_rows(flow) * (targets + 2);
    EXPECT_LE(look_ups, std::max(3 * kDeletionSliceRows, targets + 2)) << targets;
    EXPECT_GE(most_rows(flow), 1);
  }
}

TEST(Deletion, ABoundedNumberOfSlicesFollowsTheAnswer) {
  Clear flow = clear_behind(Connector::target);
  int slices = 0;
  for (; !flow.ended() && slices < 1000; ++slices) went(flow, kDeletionSliceRows);
  EXPECT_EQ(slices, kAnswerDeletionSlices);
  EXPECT_TRUE(flow.result().ok());
}

TEST(Deletion, WhatFailsIsLeftToAWake) {
  Clear flow = clear_behind(Connector::source);
  flow.fails(ErrorCode::unavailable);
  ASSERT_TRUE(flow.ended());
  EXPECT_EQ(flow.result().error().code, ErrorCode::unavailable);
}

struct Wake : ScriptedFlow<Result<Unit>> {
  Wake() : ScriptedFlow([](Invocation& in) { return wake(in, kFlowStart); }) {}

  void finds(const std::vector<int64_t>& sources) {
    Cells found;
    for (int64_t id : sources) found.push_back({kTenant.value, id});
    rows({found});
  }
};

TEST(Deletion, AWakeLeavesAloneWhatAnAnswerMayBeFollowedBy) {
  Wake flow;
  const Statement* left = flow.find(store::deleted_connectors(Connector::source, "", 0));
  ASSERT_NE(left, nullptr);
  EXPECT_EQ(std::get<std::string>(left->params[0]), to_text(kFlowStart - kDeletionHeadStartMs));
}

TEST(Deletion, OneThatFailsDoesNotKeepTheOthersNorTheRuns) {
  Wake flow;
  flow.finds({kId, 6});
  ASSERT_TRUE(takes_snapshots(flow, Connector::source));
  flow.fails(ErrorCode::refused, "first");
  ASSERT_TRUE(takes_snapshots(flow, Connector::source));
  EXPECT_EQ(std::get<int64_t>(flow.statements()[0].params[1]), 6);
  flow.fails(ErrorCode::refused, "second");
  ASSERT_TRUE(flow.asks(store::dead_runs("", "", 0, 0)));
  flow.rows();
  flow.rows();
  ASSERT_TRUE(flow.ended());
  EXPECT_EQ(flow.result().error().detail, "first");
}

TEST(Deletion, AWakeKeepsItsShareForRuns) {
  Wake flow;
  flow.finds({kId, 6});
  int slices = 0;
  for (; takes_snapshots(flow, Connector::source) && slices < 1000; ++slices) {
    went(flow, kDeletionSliceRows);
  }
  EXPECT_EQ(slices, kWakeDeletionSlices);
  EXPECT_TRUE(flow.asks(store::dead_runs("", "", 0, 0)));
  EXPECT_LT(flow.in().queries(), kMaxQueries / 2);
}

// What the batch of a deletion is answered, and the query behind it.
std::vector<Cells> counted(FlowScript& flow, int64_t snapshots, bool more) {
  std::vector<Cells> results(flow.statements().size());
  size_t at = flow.asks_batch() ? 2 : 0;
  if (flow.asks_batch()) results[1] = {{4}};
  results[at] = {{snapshots}};
  if (more) results[at + 1] = {{9, 9, 9}};
  return results;
}

TEST(Deletion, ManySnapshotsAreCountedInSeveralCallsBehindTheMark) {
  ScriptedFlow<Result<DeletedConnector>> flow([](Invocation& in) {
    ConnectorRow row;
    row.id = kId;
    return delete_connector(in, kTenant, Connector::source, row);
  });
  ASSERT_TRUE(flow.asks_batch());
  ASSERT_TRUE(flow.asks(store::connector_marked(Connector::source, {}, 0, "")));
  EXPECT_FALSE(takes_snapshots(flow, Connector::source)) << "rows go behind the answer";
  flow.rows(counted(flow, kCountedSnapshots, true));
  ASSERT_TRUE(flow.asks_query());
  EXPECT_EQ(std::get<int64_t>(flow.statements()[0].params[2]), 9) << "behind the last one";
  flow.rows(counted(flow, kCountedSnapshots, true));
  flow.rows(counted(flow, 3, false));
  ASSERT_TRUE(flow.ended());
  DeletedConnector deleted = flow.result().value();
  EXPECT_EQ(deleted.properties, 4);
  EXPECT_EQ(deleted.snapshots, 2 * kCountedSnapshots + 3);
}

}  // namespace
}  // namespace sm::flow
