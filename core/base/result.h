// Errors are values. A function that can fail on input or on the outside world returns Result<T>;
// what is left is a bug of ours and traps (check.h).
//
//   TRY(auto row, decode(cells));          // in a function: return the error to the caller
//   CO_TRY(auto page, co_await query(…));  // the same in a coroutine
#pragma once

#include <utility>
#include <variant>

#include "core/base/check.h"
#include "core/base/error.h"

namespace sm {

template <typename T>
class [[nodiscard]] Result {
 public:
  using value_type = T;

  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return state_.index() == 0; }
  T& value() & { return *checked(); }
  T&& value() && { return std::move(*checked()); }
  const T& value() const& { return const_cast<Result*>(this)->value(); }
  Error& error() & {
    SM_CHECK(!ok());
    return *std::get_if<1>(&state_);
  }
  Error&& error() && { return std::move(error()); }
  const Error& error() const& { return const_cast<Result*>(this)->error(); }

 private:
  T* checked() {
    SM_CHECK(ok());
    return std::get_if<0>(&state_);
  }

  std::variant<T, Error> state_;
};

// What a Result holds when there is nothing to say but that it worked.
struct Unit {};
using Status = Result<Unit>;

}  // namespace sm

#define SM_JOIN_(a, b) a##b
#define SM_JOIN(a, b) SM_JOIN_(a, b)
#define SM_TRY_(temporary, give, declaration, expression) \
  auto temporary = (expression);                          \
  if (!temporary.ok()) give std::move(temporary).error(); \
  declaration = std::move(temporary).value()
#define TRY(declaration, expression) \
  SM_TRY_(SM_JOIN(try_result_, __LINE__), return, declaration, expression)
#define CO_TRY(declaration, expression) \
  SM_TRY_(SM_JOIN(try_result_, __LINE__), co_return, declaration, expression)
