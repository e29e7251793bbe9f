// SHA-256 (FIPS 180-4) and HMAC-SHA-256 (RFC 2104), for hashes of properties, fingerprints of
// bodies and API keys.
//
// `Sha256` hashes one message that arrives in parts. `Sha256Lanes` hashes many independent messages
// at once: four of them side by side in the 32-bit lanes of one 128-bit vector (SSE on x86, simd128
// in WebAssembly; measured 1.7 times as fast as one after the other). A lane that has finished its
// message takes the next one that waits, so messages of very different length keep all four busy;
// when fewer than three are left they are finished one by one. Nothing here fails, and nothing is
// kept outside the objects.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace sm {

using Sha256Digest = std::array<uint8_t, 32>;

using Sha256State = std::array<uint32_t, 8>;

class Sha256 {
 public:
  Sha256();
  // Goes on behind whole blocks, `total_bytes` of them, that left this state.
  Sha256(const Sha256State& state, uint64_t total_bytes)
      : state_(state), block_{}, total_bytes_(total_bytes) {}
  void update(std::string_view part);
  // The digest of all parts. The object starts over: it may be used for the next message.
  Sha256Digest finish();

 private:
  Sha256State state_;
  std::array<uint8_t, 64> block_;
  uint64_t total_bytes_;
};

Sha256Digest sha256(std::string_view message);
Sha256Digest hmac_sha256(std::string_view key, std::string_view message);
// The same for a key of which only its digest is known: the two states that a hash is in when it
// has taken in the key's inner and its outer block, 64 bytes with the words as FIPS 180-4 writes
// them. Whoever has it signs like the key, and cannot tell the key.
Sha256Digest hmac_sha256_behind(std::string_view key_digest, std::string_view message);

// 64 lower-case hexadecimal digits.
std::string to_hex(const Sha256Digest& digest);
// The same into a place of the caller's, exactly 64 bytes.
void write_hex(const Sha256Digest& digest, char* out);

// Messages wait until the lanes are free, and only `flush` ends them all: then every `out` is
// written. Message and `out` must stay where they are until `flush` has returned.
class Sha256Lanes {
 public:
  Sha256Lanes();
  void push(std::string_view message, Sha256Digest* out);
  void flush();

 private:
  static constexpr size_t kLanes = 4;
  static constexpr size_t kWaiting = 8;
  using Words = uint32_t __attribute__((vector_size(16)));  // one 32-bit word of each lane

  struct Job {
    std::string_view message;
    Sha256Digest* out = nullptr;
  };
  // Reads the whole blocks of its message, then the one or two of `tail`.
  struct Lane {
    const uint8_t* next = nullptr;
    size_t blocks = 0;       // that are left at `next`
    size_t tail_blocks = 0;  // that are left after those
    Sha256Digest* out = nullptr;
    std::array<uint8_t, 128> tail;
  };

  void start(size_t lane, const Job& job);
  bool settle(size_t lane);
  size_t active() const;
  void run_blocks();
  void work();
  void finish_alone(size_t lane);

  std::array<Job, kWaiting> waiting_;
  size_t waiting_count_ = 0;
  std::array<Lane, kLanes> lanes_;
  std::array<Words, 8> state_;
};

}  // namespace sm
