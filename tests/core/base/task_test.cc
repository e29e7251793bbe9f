#include "core/base/task.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sm {
namespace {

// Suspends until the test resumes it, as an invocation does while a host performs effects.
struct Parking : TaskHost {
  struct Parked {
    Parking& host;
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> parked) noexcept { host.waiting = parked; }
    void await_resume() const noexcept {}
  };
  Parked park() { return {*this}; }
  std::coroutine_handle<> waiting = nullptr;
};

Task<int> nest(TaskHost& host, int depth) {
  if (depth == 0) co_return 0;
  co_return 1 + co_await nest(host, depth - 1);
}

Task<int> loop(TaskHost& host, int rounds) {
  int sum = 0;
  for (int i = 0; i < rounds; ++i) sum += co_await nest(host, 1);
  co_return sum;
}

Task<std::string> wait_holding(Parking& host, std::string held) {
  std::vector<std::string> more(10, held);
  co_await host.park();
  co_return more[9] + held;
}

Task<std::string> outer(Parking& host) {
  std::string kept(1000, 'k');
  std::string inner = co_await wait_holding(host, std::string(2000, 'i'));
  co_return kept + inner;
}

TEST(Task, AChainOfAnyLengthNeedsOneStackFrame) {
  TaskHost host;
  Task<int> task = nest(host, 100'000);
  task.start();
  host.run_ready();
  ASSERT_TRUE(task.done());
  EXPECT_EQ(task.take(), 100'000);
}

TEST(Task, ManyAwaitsInALoopReuseTheirFrames) {
  TaskHost host;
  Task<int> task = loop(host, 200'000);
  task.start();
  host.run_ready();
  EXPECT_EQ(task.take(), 200'000);
}

TEST(Task, IsLazy) {
  Parking host;
  Task<std::string> task = outer(host);
  host.run_ready();
  EXPECT_FALSE(host.waiting);
}

TEST(Task, GoesOnWhereItWaited) {
  Parking host;
  Task<std::string> task = outer(host);
  task.start();
  host.run_ready();
  ASSERT_TRUE(host.waiting);
  EXPECT_FALSE(task.done());
  host.run_next(host.waiting);
  host.run_ready();
  EXPECT_EQ(task.take().size(), 5000u);
}

TEST(Task, ASuspendedChainThatIsDroppedFreesWhatItHolds) {
  Parking host;
  {
    Task<std::string> task = outer(host);
    task.start();
    host.run_ready();
  }
  // The sanitizer reports what was not freed.
  SUCCEED();
}

}  // namespace
}  // namespace sm
