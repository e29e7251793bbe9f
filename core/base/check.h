// CHECK traps on a bug of ours. It never guards against input: input that is wrong is an Error
// (result.h).
//
// In WebAssembly a trap ends the instance; the host discards it and answers 500 (wasm/README.md).
// Natively the process aborts with the place of the failed check, which is what tests, sanitizers
// and fuzzers want to see.
#pragma once

#include <cstdio>

namespace sm {

[[noreturn]] inline void check_failed(const char* condition, const char* file, int line) {
#ifndef __wasm__
  std::fprintf(stderr, "%s:%d: check failed: %s\n", file, line, condition);
#else
  (void)condition, (void)file, (void)line;
#endif
  __builtin_trap();
}

}  // namespace sm

#define SM_CHECK(condition) \
  ((condition) ? static_cast<void>(0) : ::sm::check_failed(#condition, __FILE__, __LINE__))
