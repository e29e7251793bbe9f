#include "core/flow/body.h"

#include <algorithm>

namespace sm::flow {

Error too_large(uint64_t limit) {
  return {ErrorCode::too_large,
          "The body of this path takes at most " + std::to_string(limit) + " bytes."};
}

Status check_announced_size(const http::Request& request, uint64_t limit) {
  auto length = request.header("content-length");
  if (!length) return Unit{};
  uint64_t bytes = 0;
  for (char digit : *length) {
    if (digit < '0' || digit > '9') return Unit{};
    bytes = std::min<uint64_t>(bytes * 10 + static_cast<uint64_t>(digit - '0'), limit + 1);
  }
  if (bytes > limit) return too_large(limit);
  return Unit{};
}

bool announces_at_most(const http::Request& request, uint64_t bytes) {
  return request.header("content-length") && check_announced_size(request, bytes).ok();
}

Task<Result<std::string>> read_body(Invocation& in, uint64_t limit) {
  std::string body;
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
