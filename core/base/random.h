// Random bytes without end, from the seed that came with the start of an invocation.
//
// Block n of the stream is HMAC-SHA-256 of the number n (eight bytes, the lowest first) under the
// seed, as a key derivation in counter mode does it (NIST SP 800-108): whoever sees some blocks
// learns nothing of the seed or of others. The same seed gives the same bytes on every host, so a
// test can run an invocation again.
#pragma once

#include <cstdint>
#include <string>

namespace sm {

class RandomBytes {
 public:
  // `seed` holds at least 32 bytes that nobody can guess.
  explicit RandomBytes(std::string seed);

  // The next `count` bytes. None is given twice.
  std::string take(size_t count);

 private:
  std::string seed_;
  uint64_t next_block_ = 0;
  std::string left_;  // of the last block
};

}  // namespace sm
