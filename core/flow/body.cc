#include "core/flow/body.h"

#include <algorithm>

#include "core/base/limits.h"
#include "core/flow/memory.h"

namespace sm::flow {

namespace {

// What the request says of its body's length, at most one more than `limit`.
std::optional<uint64_t> read_length(const http::Request& request, uint64_t limit) {
  auto length = request.header("content-length");
  if (!length) return std::nullopt;
  uint64_t bytes = 0;
  for (char digit : *length) {
    if (digit < '0' || digit > '9') return std::nullopt;
    bytes = std::min<uint64_t>(bytes * 10 + static_cast<uint64_t>(digit - '0'), limit + 1);
  }
  return bytes;
}

}  // namespace

Error too_large(uint64_t limit) {
  return {ErrorCode::too_large,
          "The body of this path takes at most " + std::to_string(limit) + " bytes."};
}

Status check_announced_size(const http::Request& request, uint64_t limit) {
  if (read_length(request, limit).value_or(0) > limit) return too_large(limit);
  return Unit{};
}

uint64_t announced_size(const http::Request& request, uint64_t limit) {
  return std::min(read_length(request, limit).value_or(limit), limit);
}

Task<Result<std::string>> read_body(Invocation& in, uint64_t announced, uint64_t limit) {
  if (announced > kUncheckedBodyBytes) {
    uint64_t bytes = announced * kBodyMemoryPerByte + value_memory(announced);
    CO_TRY([[maybe_unused]] Unit held, co_await reserve_memory(in, bytes));
  }
  std::string body;
  body.reserve(announced);
  while (true) {
    std::vector<Effect> effects;
    effects.push_back(ReadBody{});
    std::vector<Reply> replies = co_await in.perform(std::move(effects));
    if (replies[0].error) co_return std::move(*replies[0].error);
    body += replies[0].bytes;
    if (body.size() > limit) co_return too_large(limit);
    if (replies[0].end) co_return body;
  }
}

}  // namespace sm::flow
