#include "core/base/sha256.h"

#include <algorithm>
#include <cstring>

#include "core/base/check.h"

namespace sm {
namespace {

using Words = uint32_t __attribute__((vector_size(16)));
using Bytes = uint8_t __attribute__((vector_size(16)));

constexpr std::array<uint32_t, 8> kInitial = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                              0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

constexpr uint32_t kRound[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

// T is one word, or the same word of four messages.
template <typename T>
inline T rotate(T x, int bits) {
  return (x >> bits) | (x << (32 - bits));
}

template <typename T>
inline void rounds(std::array<T, 8>& state, T (&w)[16]) {
  T a = state[0], b = state[1], c = state[2], d = state[3];
  T e = state[4], f = state[5], g = state[6], h = state[7];
  for (int i = 0; i < 64; i += 16) {
#pragma clang loop unroll(full)
    for (int j = 0; j < 16; ++j) {
      if (i > 0) {
        T w15 = w[(j + 1) & 15], w2 = w[(j + 14) & 15];
        T s0 = rotate(w15, 7) ^ rotate(w15, 18) ^ (w15 >> 3);
        T s1 = rotate(w2, 17) ^ rotate(w2, 19) ^ (w2 >> 10);
        w[j] += s0 + w[(j + 9) & 15] + s1;
      }
      T t1 = h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + (g ^ (e & (f ^ g))) +
             kRound[i + j] + w[j];
      T t2 = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) | (c & (a | b)));
      h = g, g = f, f = e, e = d + t1;
      d = c, c = b, b = a, a = t1 + t2;
    }
  }
  state[0] += a, state[1] += b, state[2] += c, state[3] += d;
  state[4] += e, state[5] += f, state[6] += g, state[7] += h;
}

inline uint32_t load_word(const uint8_t* p) {
  uint32_t word;
  std::memcpy(&word, p, 4);
  return __builtin_bswap32(word);
}

void compress(std::array<uint32_t, 8>& state, const uint8_t* block) {
  uint32_t w[16];
  for (size_t i = 0; i < 16; ++i) w[i] = load_word(block + 4 * i);
  rounds(state, w);
}

inline Words load_words(const uint8_t* p) {
  Bytes b;
  std::memcpy(&b, p, 16);
  return (Words)__builtin_shufflevector(b, b, 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12);
}

// Sixteen words of four messages, word by word instead of message by message.
inline void load_block(const uint8_t* const (&next)[4], Words (&w)[16]) {
  for (size_t i = 0; i < 4; ++i) {
    Words a = load_words(next[0] + 16 * i), b = load_words(next[1] + 16 * i);
    Words c = load_words(next[2] + 16 * i), d = load_words(next[3] + 16 * i);
    Words ab_low = __builtin_shufflevector(a, b, 0, 4, 1, 5);
    Words ab_high = __builtin_shufflevector(a, b, 2, 6, 3, 7);
    Words cd_low = __builtin_shufflevector(c, d, 0, 4, 1, 5);
    Words cd_high = __builtin_shufflevector(c, d, 2, 6, 3, 7);
    w[4 * i] = __builtin_shufflevector(ab_low, cd_low, 0, 1, 4, 5);
    w[4 * i + 1] = __builtin_shufflevector(ab_low, cd_low, 2, 3, 6, 7);
    w[4 * i + 2] = __builtin_shufflevector(ab_high, cd_high, 0, 1, 4, 5);
    w[4 * i + 3] = __builtin_shufflevector(ab_high, cd_high, 2, 3, 6, 7);
  }
}

// The last bytes of a message with the padding behind them; how many blocks that makes.
size_t pad(const uint8_t* rest, size_t rest_bytes, uint64_t total_bytes, uint8_t* tail) {
  size_t blocks = rest_bytes < 56 ? 1 : 2;
  if (rest_bytes > 0) std::memcpy(tail, rest, rest_bytes);
  std::memset(tail + rest_bytes, 0, blocks * 64 - rest_bytes);
  tail[rest_bytes] = 0x80;
  uint64_t bits = __builtin_bswap64(total_bytes * 8);
  std::memcpy(tail + blocks * 64 - 8, &bits, 8);
  return blocks;
}

void write_digest(const std::array<uint32_t, 8>& state, Sha256Digest& out) {
  for (size_t i = 0; i < 8; ++i) {
    uint32_t word = __builtin_bswap32(state[i]);
    std::memcpy(out.data() + 4 * i, &word, 4);
  }
}

}  // namespace

Sha256::Sha256() : state_(kInitial), total_bytes_(0) {}

void Sha256::update(std::string_view part) {
  if (part.empty()) return;
  const auto* data = reinterpret_cast<const uint8_t*>(part.data());
  size_t size = part.size();
  size_t held = total_bytes_ % 64;
  total_bytes_ += size;
  if (held > 0) {
    size_t taken = std::min(size, 64 - held);
    std::memcpy(block_.data() + held, data, taken);
    data += taken;
    size -= taken;
    if (held + taken < 64) return;
    compress(state_, block_.data());
  }
  for (; size >= 64; data += 64, size -= 64) compress(state_, data);
  if (size > 0) std::memcpy(block_.data(), data, size);
}

Sha256Digest Sha256::finish() {
  uint8_t tail[128];
  size_t blocks = pad(block_.data(), total_bytes_ % 64, total_bytes_, tail);
  for (size_t i = 0; i < blocks; ++i) compress(state_, tail + 64 * i);
  Sha256Digest digest;
  write_digest(state_, digest);
  *this = Sha256();
  return digest;
}

Sha256Digest sha256(std::string_view message) {
  Sha256 hash;
  hash.update(message);
  return hash.finish();
}

namespace {

Sha256Digest hmac_of(Sha256 inner, Sha256 outer, std::string_view message) {
  inner.update(message);
  Sha256Digest digest = inner.finish();
  outer.update({reinterpret_cast<const char*>(digest.data()), digest.size()});
  return outer.finish();
}

Sha256State state_of(std::string_view words) {
  Sha256State state;
  for (size_t i = 0; i < state.size(); ++i) {
    state[i] = load_word(reinterpret_cast<const uint8_t*>(words.data()) + 4 * i);
  }
  return state;
}

}  // namespace

Sha256Digest hmac_sha256(std::string_view key, std::string_view message) {
  std::array<char, 64> block{};
  if (key.size() > block.size()) {
    Sha256Digest digest = sha256(key);
    std::memcpy(block.data(), digest.data(), digest.size());
  } else if (!key.empty()) {
    std::memcpy(block.data(), key.data(), key.size());
  }
  Sha256 inner;
  for (char& c : block) c = static_cast<char>(c ^ 0x36);
  inner.update({block.data(), block.size()});
  Sha256 outer;
  for (char& c : block) c = static_cast<char>(c ^ 0x36 ^ 0x5c);
  outer.update({block.data(), block.size()});
  return hmac_of(inner, outer, message);
}

Sha256Digest hmac_sha256_behind(std::string_view key_digest, std::string_view message) {
  constexpr size_t kBlock = 64;
  SM_CHECK(key_digest.size() == 2 * sizeof(Sha256State));
  return hmac_of(Sha256(state_of(key_digest), kBlock),
                 Sha256(state_of(key_digest.substr(sizeof(Sha256State))), kBlock), message);
}

void write_hex(const Sha256Digest& digest, char* out) {
  constexpr char kDigits[] = "0123456789abcdef";
  for (uint8_t byte : digest) {
    *out++ = kDigits[byte >> 4];
    *out++ = kDigits[byte & 15];
  }
}

std::string to_hex(const Sha256Digest& digest) {
  std::string out(64, '\0');
  write_hex(digest, out.data());
  return out;
}

Sha256Lanes::Sha256Lanes() {
  for (Words& words : state_) words = Words{};
}

void Sha256Lanes::push(std::string_view message, Sha256Digest* out) {
  waiting_[waiting_count_++] = {message, out};
  if (waiting_count_ == kWaiting) work();
}

void Sha256Lanes::start(size_t lane, const Job& job) {
  Lane& l = lanes_[lane];
  l.next = reinterpret_cast<const uint8_t*>(job.message.data());
  l.blocks = job.message.size() / 64;
  size_t rest = job.message.size() % 64;
  l.tail_blocks =
      pad(l.next + (job.message.size() - rest), rest, job.message.size(), l.tail.data());
  l.out = job.out;
  for (size_t i = 0; i < 8; ++i) state_[i][lane] = kInitial[i];
}

// Moves a lane on to its tail, or hands out its digest: true while there is something left to do in
// it.
bool Sha256Lanes::settle(size_t lane) {
  Lane& l = lanes_[lane];
  if (l.out == nullptr) return false;
  if (l.blocks > 0) return true;
  if (l.tail_blocks > 0) {
    l.next = l.tail.data();
    l.blocks = l.tail_blocks;
    l.tail_blocks = 0;
    return true;
  }
  std::array<uint32_t, 8> state;
  for (size_t i = 0; i < 8; ++i) state[i] = state_[i][lane];
  write_digest(state, *l.out);
  l.out = nullptr;
  return false;
}

size_t Sha256Lanes::active() const {
  return static_cast<size_t>(
      std::count_if(lanes_.begin(), lanes_.end(), [](const Lane& l) { return l.out != nullptr; }));
}

// As many blocks in every lane as the one with the fewest has left. An idle lane repeats what a
// busy one reads.
void Sha256Lanes::run_blocks() {
  size_t burst = SIZE_MAX;
  const uint8_t* next[kLanes];
  const uint8_t* busy = nullptr;
  for (const Lane& l : lanes_) {
    if (l.out == nullptr) continue;
    burst = std::min(burst, l.blocks);
    busy = l.next;
  }
  for (size_t i = 0; i < kLanes; ++i) next[i] = lanes_[i].out != nullptr ? lanes_[i].next : busy;
  std::array<Words, 8> state = state_;
  for (size_t n = 0; n < burst; ++n) {
    Words w[16];
    load_block(next, w);
    rounds(state, w);
    for (const uint8_t*& p : next) p += 64;
  }
  state_ = state;
  for (size_t i = 0; i < kLanes; ++i) {
    if (lanes_[i].out == nullptr) continue;
    lanes_[i].next += 64 * burst;
    lanes_[i].blocks -= burst;
  }
}

// Until nothing waits any more; what is in the lanes then stays there.
void Sha256Lanes::work() {
  for (;;) {
    for (size_t i = 0; i < kLanes; ++i) {
      if (settle(i)) continue;
      if (waiting_count_ == 0) return;
      start(i, waiting_[--waiting_count_]);
      settle(i);
    }
    run_blocks();
  }
}

void Sha256Lanes::finish_alone(size_t lane) {
  std::array<uint32_t, 8> state;
  for (size_t i = 0; i < 8; ++i) state[i] = state_[i][lane];
  Lane& l = lanes_[lane];
  do {
    for (; l.blocks > 0; --l.blocks, l.next += 64) compress(state, l.next);
    for (size_t i = 0; i < 8; ++i) state_[i][lane] = state[i];
  } while (settle(lane));
}

void Sha256Lanes::flush() {
  work();
  // Three lanes of four still beat the scalar loop; two do not.
  for (;;) {
    for (size_t i = 0; i < kLanes; ++i) settle(i);
    if (active() < 3) break;
    run_blocks();
  }
  for (size_t i = 0; i < kLanes; ++i) {
    if (lanes_[i].out != nullptr) finish_alone(i);
  }
}

}  // namespace sm
