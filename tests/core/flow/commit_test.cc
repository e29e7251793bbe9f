#include "core/flow/commit.h"

#include <gtest/gtest.h>

#include "core/base/limits.h"
#include "tests/core/flow/scripted_flow.h"

namespace sm::flow {
namespace {

Invocation some_invocation() { return {Deployment(), kFlowStart, std::string(64, '\7')}; }

TEST(Races, AChangeOfWhatWasReadStartsTheFlowAgain) {
  for (const char* guard : {"source_changed", "target_changed", "row_changed", "log_number"}) {
    Invocation in = some_invocation();
    Races races(in);
    EXPECT_TRUE(races.lost(Error{ErrorCode::guard, guard})) << guard;
    EXPECT_EQ(races.count(), 1);
  }
}

TEST(Races, OtherErrorsEndTheFlow) {
  Invocation in = some_invocation();
  Races races(in);
  EXPECT_FALSE(races.lost(Error{ErrorCode::guard, "lease_lost"}));
  EXPECT_FALSE(races.lost(Error{ErrorCode::guard, "last_key"}));
  EXPECT_FALSE(races.lost(Error{ErrorCode::unavailable, {}}));
  EXPECT_FALSE(races.lost(Error{ErrorCode::unique, "sources.id"}));
  EXPECT_FALSE(races.lost(Result<int>(5)));
  EXPECT_EQ(races.count(), 0);
}

TEST(Races, AreGivenUpAfterAWhile) {
  Invocation in = some_invocation();
  Races races(in);
  for (int i = 0; i < kMaxLostRaces; ++i) {
    EXPECT_TRUE(races.lost(Error{ErrorCode::guard, "row_changed"}));
  }
  EXPECT_FALSE(races.lost(Error{ErrorCode::guard, "row_changed"}));
}

TEST(Races, AreGivenUpWhereTheStoreTakesNoMoreStatementsOfTheRequest) {
  Invocation in = some_invocation();
  Races races(in);
  EXPECT_TRUE(races.lost(Error{ErrorCode::guard, "row_changed"}));
  std::vector<Effect> effects;
  effects.push_back(Query{std::vector<Statement>(kMaxQueries - kQueriesToEnd + 1)});
  [[maybe_unused]] auto asked = in.perform(std::move(effects));
  EXPECT_FALSE(races.lost(Error{ErrorCode::guard, "row_changed"}));
}

using Commit = ScriptedFlow<Result<Committed>>;

Task<Result<Committed>> commit_something(Invocation& in) {
  std::vector<Statement> batch;
  batch.push_back(store::ids_reserved("runs", 1));
  static const Operation kOperation{TenantId{7}, "manual", {}, {}, "sync_1", "t"};
  return commit_logged(in, kOperation, std::move(batch));
}

TEST(Commit, GivesTheRowsOfEachStatement) {
  Commit flow(commit_something);
  ASSERT_TRUE(flow.asks_batch());
  flow.rows({{{5}}});
  ASSERT_TRUE(flow.ended());
  Result<Committed> committed = flow.result();
  ASSERT_TRUE(committed.ok());
  ASSERT_TRUE(committed.value().rows);
  EXPECT_EQ(store::only<store::IdsReservedRow>((*committed.value().rows)[0]).first, 5);
}

TEST(Commit, AnUnknownOutcomeIsSettledByTheLogRow) {
  Commit flow(commit_something);
  flow.fails(ErrorCode::unknown_outcome);
  ASSERT_TRUE(flow.asks(store::log_by_sync_id({}, "")));
  flow.rows({{{"{\"a\":1}", 12}}});
  Result<Committed> committed = flow.result();
  ASSERT_TRUE(committed.ok());
  EXPECT_FALSE(committed.value().rows);
  EXPECT_EQ(committed.value().stats, "{\"a\":1}");
  EXPECT_EQ(committed.value().log_id, 12);
}

TEST(Commit, WithoutTheLogRowNothingWasCommitted) {
  Commit flow(commit_something);
  flow.fails(ErrorCode::unknown_outcome);
  flow.rows();
  EXPECT_EQ(flow.result().error().code, ErrorCode::unavailable);
}

TEST(Commit, AnOutcomeStaysUnknownWhereTheStoreCannotSayWhatBecameOfIt) {
  Commit flow(commit_something);
  flow.fails(ErrorCode::unknown_outcome);
  flow.fails(ErrorCode::unavailable);
  EXPECT_EQ(flow.result().error().code, ErrorCode::unknown_outcome);
}

TEST(Commit, ALogNumberThatAnotherWriterTookIsALostRace) {
  Commit flow(commit_something);
  flow.fails(ErrorCode::unique, "sync_logs.tenant_id,id");
  ASSERT_TRUE(flow.ended());
  Races races(flow.in());
  EXPECT_TRUE(races.lost(flow.result()));
}

TEST(Commit, OtherErrorsStayAsTheyAre) {
  Commit flow(commit_something);
  flow.fails(ErrorCode::overloaded, "busy");
  ASSERT_TRUE(flow.ended());
  EXPECT_EQ(flow.result().error().code, ErrorCode::overloaded);
}

}  // namespace
}  // namespace sm::flow
