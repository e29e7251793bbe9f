// <coroutine>, also for the libc++ of LLVM 14 (Debian's Emscripten 3.1.6), which lacks it: the part
// that task.h uses, over the compiler's builtins, after the C++20 standard, 17.12.
#pragma once

#if __has_include(<coroutine>)
#include <coroutine>
#else

#include <cstddef>
#include <type_traits>

namespace std {

template <typename Result, typename...>
struct coroutine_traits {
  using promise_type = typename Result::promise_type;
};

template <typename Promise = void>
struct coroutine_handle;

template <>
struct coroutine_handle<void> {
  constexpr coroutine_handle() noexcept = default;
  constexpr coroutine_handle(nullptr_t) noexcept {}
  static coroutine_handle from_address(void* address) noexcept {
    coroutine_handle handle;
    handle.frame_ = address;
    return handle;
  }
  void* address() const noexcept { return frame_; }
  explicit operator bool() const noexcept { return frame_ != nullptr; }
  bool done() const { return __builtin_coro_done(frame_); }
  void resume() const { __builtin_coro_resume(frame_); }
  void destroy() const { __builtin_coro_destroy(frame_); }

 protected:
  void* frame_ = nullptr;
};

template <typename Promise>
struct coroutine_handle : coroutine_handle<> {
  using coroutine_handle<>::coroutine_handle;
  static coroutine_handle from_address(void* address) noexcept {
    coroutine_handle handle;
    handle.frame_ = address;
    return handle;
  }
  static coroutine_handle from_promise(Promise& promise) noexcept {
    return from_address(__builtin_coro_promise(
        const_cast<void*>(static_cast<const volatile void*>(&promise)), alignof(Promise), true));
  }
  Promise& promise() const {
    return *static_cast<Promise*>(__builtin_coro_promise(frame_, alignof(Promise), false));
  }
};

struct suspend_always {
  constexpr bool await_ready() const noexcept { return false; }
  void await_suspend(coroutine_handle<>) const noexcept {}
  constexpr void await_resume() const noexcept {}
};

}  // namespace std

#endif
