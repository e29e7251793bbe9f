#include "core/api/serve.h"

#include <gtest/gtest.h>

#include "tests/core/flow/scripted_flow.h"

namespace sm::api {
namespace {

using Finish = ScriptedFlow<std::vector<Effect>>;

Task<Result<Unit>> write_behind(Invocation& in) {
  std::vector<Statement> batch;
  batch.push_back(store::ids_reserved("runs", 1));
  CO_TRY([[maybe_unused]] auto written, co_await store::batch(in, std::move(batch)));
  co_return Unit{};
}

Task<std::vector<Effect>> accept(Invocation& in) {
  http::Response response = http::json(202, "{}");
  response.afterwards = write_behind(in);
  return finish(in, std::move(response));
}

TEST(Serve, AnAnswerIsTheLastEffectWhereNothingFollows) {
  Finish flow([](Invocation& in) { return finish(in, http::json(200, "{}")); });
  ASSERT_TRUE(flow.ended());
  std::vector<Effect> last = flow.result();
  ASSERT_EQ(last.size(), 1u);
  EXPECT_EQ(std::get<Respond>(last[0]).status, 200);
}

TEST(Serve, WorkGoesOnBehindTheAnswer) {
  Finish flow(accept);
  ASSERT_TRUE(std::holds_alternative<Respond>(flow.effect()));
  EXPECT_EQ(std::get<Respond>(flow.effect()).status, 202);
  flow.done();
  ASSERT_TRUE(flow.asks(store::ids_reserved("", 0)));
  flow.rows();
  ASSERT_TRUE(flow.ended());
  EXPECT_TRUE(flow.result().empty());
}

TEST(Serve, WorkGoesOnWhereTheClientHasLeft) {
  Finish flow(accept);
  flow.fails(ErrorCode::cancelled);
  EXPECT_TRUE(flow.asks(store::ids_reserved("", 0)));
}

TEST(Serve, WhatFailsBehindTheAnswerIsLogged) {
  Finish flow(accept);
  flow.done();
  flow.fails(ErrorCode::unavailable, "no store");
  std::vector<Effect> last = flow.result();
  ASSERT_EQ(last.size(), 1u);
  EXPECT_EQ(std::get<Log>(last[0]).level, "error");
  EXPECT_EQ(std::get<Log>(last[0]).message, "behind the answer: unavailable: no store");
}

}  // namespace
}  // namespace sm::api
