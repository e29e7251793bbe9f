#include "core/flow/log.h"

#include <gtest/gtest.h>

#include "tests/core/flow/scripted_flow.h"

namespace sm::flow {
namespace {

using Work = ScriptedFlow<Result<int>>;

Task<Result<int>> give(Invocation&, Result<int> result) { co_return result; }

Work logged_work(Result<int> result) {
  return Work([result](Invocation& in) {
    return logged(in, begun(in, {TenantId{7}, "manual", SourceId{3}}), give(in, result));
  });
}

TEST(Logged, WhatWorksIsLoggedByItsOwnBatch) {
  Work flow = logged_work(5);
  ASSERT_TRUE(flow.ended());
  EXPECT_EQ(flow.result().value(), 5);
}

TEST(Logged, RefusalsByStateAndOurOwnFailuresLeaveARow) {
  for (ErrorCode code : {ErrorCode::conflict, ErrorCode::unique, ErrorCode::guard,
                         ErrorCode::unavailable, ErrorCode::overloaded, ErrorCode::refused,
                         ErrorCode::unknown_outcome, ErrorCode::not_configured}) {
    Work flow = logged_work(Error{code, "what it was"});
    ASSERT_FALSE(flow.ended()) << error_info(code).type;
    const Statement* row = flow.find(store::failure_logged({}, "", "", {}, {}, "", "", ""));
    ASSERT_NE(row, nullptr);
    EXPECT_EQ(std::get<int64_t>(row->params[0]), 7);
    EXPECT_EQ(std::get<std::string>(row->params[2]), "manual");
    EXPECT_EQ(std::get<int64_t>(row->params[3]), 3);
    EXPECT_EQ(std::get<std::string>(row->params[5]),
              code == ErrorCode::conflict ? "what it was" : std::string(error_info(code).title));
    flow.rows();
    ASSERT_TRUE(flow.ended());
    EXPECT_EQ(flow.result().error().code, code);
  }
}

TEST(Logged, OtherRefusalsLeaveNone) {
  for (ErrorCode code : {ErrorCode::invalid, ErrorCode::not_found, ErrorCode::precondition_failed,
                         ErrorCode::malformed, ErrorCode::too_large, ErrorCode::cut_off}) {
    Work flow = logged_work(Error{code, {}});
    ASSERT_TRUE(flow.ended()) << error_info(code).type;
    EXPECT_EQ(flow.result().error().code, code);
  }
}

TEST(Logged, AStoreThatDoesNotAnswerKeepsTheErrorAsItWas) {
  Work flow = logged_work(Error{ErrorCode::conflict, {}});
  flow.fails(ErrorCode::unavailable);
  ASSERT_TRUE(flow.ended());
  EXPECT_EQ(flow.result().error().code, ErrorCode::conflict);
}

// A row of the operation that an earlier batch began comes before a new one.
TEST(Logged, ARowThatIsRunningBecomesPartial) {
  Work flow = logged_work(Error{ErrorCode::unavailable, {}});
  ASSERT_EQ(flow.statements().size(), 2u);
  EXPECT_EQ(flow.statements()[0].number, store::log_interrupted({}, "", "", "").number);
  EXPECT_EQ(flow.statements()[0].params[1], flow.statements()[1].params[1]) << "one sync_id";
}

}  // namespace
}  // namespace sm::flow
