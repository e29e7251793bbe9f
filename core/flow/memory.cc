#include "core/flow/memory.h"

#include <algorithm>

#include "core/base/limits.h"

namespace sm::flow {

Task<Result<Unit>> reserve_memory(Invocation& in, uint64_t bytes) {
  std::vector<Effect> effects;
  effects.push_back(ReserveMemory{bytes, {}});
  std::vector<Reply> replies = co_await in.perform(std::move(effects));
  if (replies[0].error) co_return std::move(*replies[0].error);
  co_return Unit{};
}

uint64_t value_memory(uint64_t body_bytes) {
  return std::min(body_bytes * kValueMemoryPerByte, kMaxValueMemory);
}

}  // namespace sm::flow
