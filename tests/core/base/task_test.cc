#include "core/base/task.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <memory>
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

// Counts the objects that live, those in suspended frames included.
struct Counted {
  explicit Counted(int& count) : living(count) { ++living; }
  Counted(const Counted& other) : living(other.living) { ++living; }
  ~Counted() { --living; }
  int& living;
};

Task<int> descend(Parking& host, int depth, Counted given) {
  Counted local = given;
  if (depth == 0) {
    co_await host.park();
    co_return local.living;
  }
  co_return co_await descend(host, depth - 1, local);
}

TEST(Task, WhatASuspendedChainHoldsLivesUntilItIsDropped) {
  for (int depth : {0, 1, 2, 500}) {
    int living = 0;
    Parking host;
    {
      Task<int> task = descend(host, depth, Counted(living));
      task.start();
      host.run_ready();
      ASSERT_TRUE(host.waiting);
      EXPECT_GE(living, 2 * (depth + 1)) << "parameters and locals of every frame";
    }
    EXPECT_EQ(living, 0) << depth;
  }
}

TEST(Task, ATaskThatNeverStartedFreesItsParameters) {
  int living = 0;
  Parking host;
  {
    Task<int> task = descend(host, 3, Counted(living));
    EXPECT_EQ(living, 1);
  }
  EXPECT_EQ(living, 0);
}

TEST(Task, AChainThatEndedHoldsOnlyItsValue) {
  int living = 0;
  Parking host;
  Task<int> task = descend(host, 10, Counted(living));
  task.start();
  host.run_ready();
  host.run_next(host.waiting);
  host.run_ready();
  ASSERT_TRUE(task.done());
  EXPECT_GE(task.take(), 22);
  EXPECT_LE(living, 1) << "the outermost frame's parameter";
}

Task<std::unique_ptr<int>> make(TaskHost& host, std::unique_ptr<int> value) {
  int* place = value.get();
  std::unique_ptr<int> made =
      co_await [](TaskHost& inner, std::unique_ptr<int> moved) -> Task<std::unique_ptr<int>> {
    co_return std::move(moved);
  }(host, std::move(value));
  SM_CHECK(made.get() == place);
  co_return made;
}

TEST(Task, ValuesAreMovedNeverCopied) {
  TaskHost host;
  Task<std::unique_ptr<int>> task = make(host, std::make_unique<int>(7));
  Task<std::unique_ptr<int>> moved = std::move(task);
  moved.start();
  host.run_ready();
  ASSERT_TRUE(moved.done());
  EXPECT_EQ(*moved.take(), 7);
}

Task<size_t> hold_much(Parking& host) {
  std::array<char, 10'000> much;
  much.fill('m');
  co_await host.park();
  co_return static_cast<size_t>(std::count(much.begin(), much.end(), 'm'));
}

TEST(Task, AFrameLargerThanThePoolKeepsIsTakenAndGivenBack) {
  Parking host;
  for (int i = 0; i < 3; ++i) {
    Task<size_t> task = hold_much(host);
    task.start();
    host.run_ready();
    host.run_next(host.waiting);
    host.run_ready();
    EXPECT_EQ(task.take(), 10'000u);
  }
}

TEST(CoroutineFrames, GivesAFrameOfTheSameClassAgain) {
  CoroutineFrames pool;
  void* first = pool.allocate(200);
  void* other = pool.allocate(200);
  EXPECT_NE(first, other);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(first) % 16, 0u);
  CoroutineFrames::release(first);
  void* larger = pool.allocate(1000);
  EXPECT_NE(larger, first);
  EXPECT_EQ(pool.allocate(210), first);
  CoroutineFrames::release(larger);
  CoroutineFrames::release(first);
  CoroutineFrames::release(other);
}

TEST(TaskDeathTest, TakingWhatHasNotEndedTraps) {
  Parking host;
  Task<std::string> task = outer(host);
  task.start();
  host.run_ready();
  EXPECT_DEATH((void)task.take(), "check failed");
}

}  // namespace
}  // namespace sm
