// Coroutines that are resumed by one loop.
//
// Task<T> is lazy, move-only and awaited once. Awaiting a task does not jump into it: it names it
// as the next one to run and returns to the loop of TaskHost (a trampoline), so that a chain of any
// length needs one stack frame; symmetric transfer would overflow the stack of a WebAssembly module
// that is built without tail calls.
//
// Every coroutine takes a TaskHost& (Invocation&) first, whose free lists have its frame.
// Parameters are values, or refer to what the awaiting frame owns, and such a task is awaited where
// it is called (tests/policy/coroutines.ts). No lambda that captures is a coroutine. Exhausted
// memory traps.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <utility>

#include "core/base/check.h"
#include "core/base/coroutine.h"

namespace sm {

// Free lists of coroutine frames by size class. A frame remembers its pool in a header of 16 bytes
// before it.
class CoroutineFrames {
 public:
  CoroutineFrames() = default;
  CoroutineFrames(const CoroutineFrames&) = delete;
  CoroutineFrames& operator=(const CoroutineFrames&) = delete;
  ~CoroutineFrames();

  void* allocate(size_t bytes);
  static void release(void* frame);

 private:
  static constexpr size_t kClassBytes = 128;
  static constexpr size_t kClasses = 32;  // frames up to 4 KiB are kept for reuse

  struct Header {
    CoroutineFrames* pool;
    Header* next;
    size_t size_class;
  };
  std::array<Header*, kClasses> free_ = {};
};

class TaskHost {
 public:
  TaskHost() = default;
  TaskHost(const TaskHost&) = delete;
  TaskHost& operator=(const TaskHost&) = delete;

  CoroutineFrames& frames() { return frames_; }
  void run_next(std::coroutine_handle<> handle) { next_ = handle; }

  // Runs until no coroutine is ready: all wait for replies, or the outermost one has ended.
  void run_ready() {
    while (next_) std::exchange(next_, nullptr).resume();
  }

 private:
  CoroutineFrames frames_;
  std::coroutine_handle<> next_ = nullptr;
};

class PromiseBase {
 public:
  explicit PromiseBase(TaskHost& host) : host_(host) {}

  template <typename... Rest>
  static void* operator new(size_t bytes, TaskHost& host, Rest&...) {
    return host.frames().allocate(bytes);
  }
  static void operator delete(void* frame, size_t) { CoroutineFrames::release(frame); }

  std::suspend_always initial_suspend() const noexcept { return {}; }
  void unhandled_exception() const { SM_CHECK(false); }

  TaskHost& host() { return host_; }
  std::coroutine_handle<> continuation = nullptr;

 private:
  TaskHost& host_;
};

template <typename T>
class [[nodiscard]] Task {
 public:
  struct promise_type : PromiseBase {
    template <typename... Rest>
    explicit promise_type(TaskHost& host, Rest&...) : PromiseBase(host) {}

    Task get_return_object() {
      return Task(std::coroutine_handle<promise_type>::from_promise(*this));
    }

    struct FinalAwaiter {
      bool await_ready() const noexcept { return false; }
      [[gnu::noinline]] void await_suspend(std::coroutine_handle<promise_type> ended) noexcept {
        promise_type& promise = ended.promise();
        promise.host().run_next(promise.continuation);
      }
      void await_resume() const noexcept {}
    };
    FinalAwaiter final_suspend() const noexcept { return {}; }

    template <typename Value>
    void return_value(Value&& given) {
      value.emplace(std::forward<Value>(given));
    }
    std::optional<T> value;
  };

  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Task& operator=(Task&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;
  ~Task() {
    if (handle_) handle_.destroy();
  }

  // For the outermost task, which nothing awaits: make it ready to run, see whether it has ended,
  // take what it gave.
  void start() { handle_.promise().host().run_next(handle_); }
  bool done() const { return handle_.done(); }
  T take() {
    SM_CHECK(done());
    return std::move(*handle_.promise().value);
  }

  struct Awaiter {
    std::coroutine_handle<promise_type> task;
    bool await_ready() const noexcept { return false; }
    [[gnu::noinline]] void await_suspend(std::coroutine_handle<> parent) noexcept {
      task.promise().continuation = parent;
      task.promise().host().run_next(task);
    }
    T await_resume() { return std::move(*task.promise().value); }
  };
  Awaiter operator co_await() && noexcept { return {handle_}; }

 private:
  explicit Task(std::coroutine_handle<promise_type> handle) : handle_(handle) {}
  std::coroutine_handle<promise_type> handle_;
};

}  // namespace sm
