#include "core/base/random.h"

#include <algorithm>
#include <utility>

#include "core/base/sha256.h"

namespace sm {
namespace {

std::string block(std::string_view seed, uint64_t number) {
  char counter[sizeof number];
  for (char& byte : counter) {
    byte = static_cast<char>(number & 0xFF);
    number >>= 8;
  }
  Sha256Digest digest = hmac_sha256(seed, {counter, sizeof counter});
  return std::string(digest.begin(), digest.end());
}

}  // namespace

RandomBytes::RandomBytes(std::string seed) : seed_(std::move(seed)) {}

std::string RandomBytes::take(size_t count) {
  std::string bytes;
  bytes.reserve(count);
  while (bytes.size() < count) {
    if (left_.empty()) left_ = block(seed_, next_block_++);
    size_t taken = std::min(left_.size(), count - bytes.size());
    bytes.append(left_, 0, taken);
    left_.erase(0, taken);
  }
  return bytes;
}

}  // namespace sm
