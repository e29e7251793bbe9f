#include "core/flow/wake.h"

#include <gtest/gtest.h>

#include "core/base/limits.h"
#include "core/flow/run.h"
#include "tests/core/flow/scripted_flow.h"

namespace sm::flow {
namespace {

// A wake that no deletion has left anything.
struct Wake : ScriptedFlow<Result<Unit>> {
  Wake() : ScriptedFlow([](Invocation& in) { return wake(in, kFlowStart); }) {
    EXPECT_TRUE(asks(store::deleted_connectors(Connector::source, "", 0)));
    rows();
  }
};

Wake wake_up() { return Wake(); }

bool reads_dead(const Wake& flow) { return flow.asks(store::dead_runs("", "", 0, 0)); }
bool reads_due(const Wake& flow) { return flow.asks(store::due_slots("", "", {}, "", 0)); }
bool claims(const Wake& flow) { return flow.asks(store::run_claimed({}, "", "", "", "")); }
bool takes(const Wake& flow) { return flow.asks(store::run_taken({}, 0, 0, "")); }

Cells slots(const std::vector<int64_t>& tenants, const char* kind = "retention") {
  Cells cells;
  for (int64_t tenant : tenants) cells.push_back({"2026-01-01T02:00:00.000Z", tenant, kind});
  return cells;
}

std::vector<Json> dead(int64_t tenant, int64_t attempts, const char* kind = "retention") {
  return {"2026-01-01T02:05:00.000Z",
          tenant + 100,
          tenant,
          kind,
          "2026-01-01T02:00:00.000Z",
          3,
          attempts,
          9,
          "Internal error"};
}

int64_t tenant_of(const Statement* statement) { return std::get<int64_t>(statement->params[0]); }

int64_t claimed_tenant(const Wake& flow) {
  return tenant_of(flow.find(store::run_claimed({}, "", "", "", "")));
}

// The reply to a claim or a take that wins: the run, and what is known of it.
void win(Wake& flow, const char* checkpoint = "{}") {
  std::vector<Cells> results(flow.statements().size());
  results[claims(flow) ? 1 : 0] = {{100}};
  results.back() = {{100, 1, 1, checkpoint, 9}};
  flow.rows(std::move(results));
}

// Answers the queries of a retention that finds nothing to do.
void find_nothing_to_do(Wake& flow) {
  while (!flow.ended() && flow.asks_query() && !reads_due(flow) && !reads_dead(flow)) {
    std::vector<Cells> results;
    for (const Statement& statement : flow.statements()) {
      bool imports = statement.number == store::expired_imports({}, "").number;
      bool extent = statement.number == store::cleanup_extent({}, 0).number;
      bool drops = statement.number == store::cleanup_slice({}, "", 0).number;
      Cells none = extent ? Cells{{2, 10}}
                   : drops
                       ? Cells{{0, nullptr, nullptr, nullptr, 0, nullptr, nullptr, nullptr, 0, 0}}
                       : Cells{{nullptr, 0}};
      results.push_back(imports ? Cells{} : none);
    }
    flow.rows(std::move(results));
  }
}

// The same, up to its end.
void find_nothing(Wake& flow) {
  find_nothing_to_do(flow);
  ASSERT_FALSE(flow.ended());
  if (flow.asks(store::run_ended({}, 0, ""))) flow.rows();
}

TEST(Wake, TakesUpDeadRunsFirstAndThenClaimsWhatIsDue) {
  Wake flow = wake_up();
  ASSERT_TRUE(reads_dead(flow));
  flow.rows({{dead(1, 1)}});
  ASSERT_TRUE(takes(flow));
  win(flow);
  find_nothing(flow);
  ASSERT_TRUE(reads_due(flow));
  flow.rows({slots({2})});
  ASSERT_TRUE(claims(flow));
  EXPECT_EQ(claimed_tenant(flow), 2);
  win(flow);
  find_nothing(flow);
  ASSERT_TRUE(flow.ended());
  EXPECT_TRUE(flow.result().ok());
}

TEST(Wake, AClaimThatFailsDoesNotKeepTheOthersFromTheirTurn) {
  Wake flow = wake_up();
  flow.rows();
  flow.rows({slots({1, 2, 3})});
  EXPECT_EQ(claimed_tenant(flow), 1);
  flow.fails(ErrorCode::refused, "first");
  EXPECT_EQ(claimed_tenant(flow), 2);
  flow.fails(ErrorCode::unavailable, "second");
  EXPECT_EQ(claimed_tenant(flow), 3);
  win(flow);
  find_nothing(flow);
  ASSERT_TRUE(flow.ended());
  EXPECT_EQ(flow.result().error().detail, "first") << "and what went wrong is told";
}

TEST(Wake, AFullPageOfClaimsThatFailDoesNotHideTheNextOne) {
  Wake flow = wake_up();
  flow.rows();
  std::vector<int64_t> failing;
  for (int64_t tenant = 1; tenant <= kRunsPerQuery; ++tenant) failing.push_back(tenant);
  flow.rows({slots(failing)});
  for (size_t i = 0; i < failing.size(); ++i) {
    ASSERT_TRUE(claims(flow));
    flow.fails(ErrorCode::refused);
  }
  ASSERT_TRUE(reads_due(flow));
  EXPECT_EQ(std::get<int64_t>(flow.statements()[0].params[2]), kRunsPerQuery) << "behind the last";
  flow.rows({slots({777})});
  EXPECT_EQ(claimed_tenant(flow), 777);
}

TEST(Wake, ASlotThatAnotherWakeHasIsPassedOver) {
  Wake flow = wake_up();
  flow.rows();
  flow.rows({slots({1, 2})});
  flow.rows();
  EXPECT_EQ(claimed_tenant(flow), 2);
}

TEST(Wake, AnAttemptThatFailsLeavesANoteAndTheRunToItsLease) {
  Wake flow = wake_up();
  flow.rows();
  flow.rows({slots({1, 2})});
  win(flow);
  flow.fails(ErrorCode::refused);
  const Statement* note = flow.find(store::run_faulted({}, 0, 0, ""));
  ASSERT_NE(note, nullptr);
  EXPECT_EQ(std::get<std::string>(note->params[3]), "Internal error");
  flow.rows();
  EXPECT_EQ(claimed_tenant(flow), 2) << "the others get their turn";
}

TEST(Wake, ARunThatHasAnotherHolderByNowIsNoFailure) {
  Wake flow = wake_up();
  flow.rows({{dead(1, 1)}});
  win(flow);
  find_nothing_to_do(flow);
  flow.fails(ErrorCode::guard, "lease_lost");
  ASSERT_TRUE(reads_due(flow)) << "no note is left";
  flow.rows();
  EXPECT_TRUE(flow.result().ok());
}

TEST(Wake, AnOlderVersionsCheckpointBeginsItsPhaseAnew) {
  Wake flow = wake_up();
  flow.rows({{dead(1, 1)}});
  win(flow, R"({"phase":1,"after":77})");
  EXPECT_TRUE(flow.asks(store::hidden_slice({}, "", 0)));
}

// The time until a run is taken up again is its lease.
TEST(Wake, TheDistanceBetweenAttemptsDoubles) {
  int64_t last = 0;
  for (int64_t attempts = 0; attempts < kMaxRunAttempts; ++attempts) {
    Wake flow = wake_up();
    flow.rows({{dead(1, attempts)}});
    const Statement* taken = flow.find(store::run_taken({}, 0, 0, ""));
    ASSERT_NE(taken, nullptr) << attempts;
    auto until = parse_time(std::get<std::string>(taken->params[3]));
    int64_t lease = until->ms - kFlowStart.ms;
    EXPECT_EQ(lease, attempts == 0 ? kRunLeaseMs : 2 * last) << attempts;
    last = lease;
  }
}

TEST(Wake, ARunThatHasHadItsAttemptsHasFailed) {
  Wake flow = wake_up();
  flow.rows({{dead(1, kMaxRunAttempts)}});
  ASSERT_FALSE(takes(flow));
  ASSERT_TRUE(flow.asks(store::guard_run({}, 0, 0)));
  const Statement* log = flow.find(store::log_ended({}, 0, "", {}, ""));
  ASSERT_NE(log, nullptr);
  EXPECT_EQ(std::get<int64_t>(log->params[1]), 9);
  EXPECT_EQ(std::get<std::string>(log->params[2]), "failed");
  EXPECT_EQ(std::get<std::string>(log->params[3]),
            "Given up after 5 attempts without progress: Internal error.");
  const Statement* ended = flow.find(store::run_ended({}, 0, ""));
  EXPECT_EQ(std::get<std::string>(ended->params[2]), "failed");
  flow.rows();
  EXPECT_TRUE(reads_due(flow)) << "and the next slot comes";
}

TEST(Wake, AKindThatThisVersionDoesNotKnowIsToldAndPassedOver) {
  Wake flow = wake_up();
  flow.rows({{dead(1, 1, "unheard_of"), dead(2, 1)}});
  ASSERT_TRUE(takes(flow));
  EXPECT_EQ(tenant_of(flow.find(store::run_taken({}, 0, 0, ""))), 2);
  flow.rows();
  Cells due = slots({3}, "unheard_of");
  due.push_back(slots({4})[0]);
  flow.rows({due});
  EXPECT_EQ(claimed_tenant(flow), 4);
  flow.rows();
  ASSERT_TRUE(flow.ended());
  EXPECT_EQ(flow.result().error().detail, "there is no flow for runs of the kind unheard_of");
}

TEST(Wake, DoesABoundedAmountOfWork) {
  Wake flow = wake_up();
  flow.rows();
  int claimed = 0;
  for (int64_t page = 0; !flow.ended() && page < 1000; ++page) {
    std::vector<int64_t> tenants;
    for (int64_t i = 1; i <= kRunsPerQuery; ++i) tenants.push_back(page * kRunsPerQuery + i);
    flow.rows({slots(tenants)});
    for (; !flow.ended() && claims(flow); ++claimed) flow.fails(ErrorCode::refused);
  }
  // Claims are several statements each, of which an invocation has a thousand.
  EXPECT_GT(claimed, kWakeSteps / 3);
  EXPECT_LE(claimed, kWakeSteps);
}

TEST(RunKinds, HaveNamesAndFlowsOfTheirOwn) {
  for (const RunKind& kind : run_kinds()) {
    EXPECT_EQ(find_run_kind(kind.name), &kind);
    EXPECT_NE(kind.work, nullptr);
    EXPECT_LT(kFlowStart.ms, kind.next_slot(kFlowStart).ms);
  }
  EXPECT_EQ(find_run_kind("unheard_of"), nullptr);
}

}  // namespace
}  // namespace sm::flow
