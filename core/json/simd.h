// Sixteen bytes at a time: the few vector operations that scanning JSON takes, from one source for
// SSE2 and WebAssembly simd128. Arithmetic and comparison are the compiler's own (`vector_size`);
// only the bit mask needs an intrinsic. On other machines the mask is computed byte by byte: right,
// but slow.
#pragma once

#include <cstdint>
#include <cstring>

#if defined(__wasm_simd128__)
#include <wasm_simd128.h>
#elif defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace sm::json {

using Bytes16 = uint8_t __attribute__((vector_size(16)));

inline Bytes16 load16(const char* p) {
  Bytes16 v;
  std::memcpy(&v, p, 16);
  return v;
}

inline void store16(char* p, Bytes16 v) { std::memcpy(p, &v, 16); }

// One bit for each byte, from its highest bit; the first byte is bit 0.
inline uint32_t bit_mask(Bytes16 v) {
#if defined(__wasm_simd128__)
  return static_cast<uint32_t>(wasm_i8x16_bitmask((v128_t)v));
#elif defined(__SSE2__)
  return static_cast<uint32_t>(_mm_movemask_epi8((__m128i)v));
#else
  uint32_t mask = 0;
  for (unsigned i = 0; i < 16; ++i) mask |= static_cast<uint32_t>(v[i] >> 7) << i;
  return mask;
#endif
}

// Bytes that a scan of a string stops at: quote, backslash, control characters, anything beyond
// ASCII. A comparison gives 0xFF, so the highest bit of the byte itself may be joined in as it is.
inline uint32_t special_mask(Bytes16 v) {
  Bytes16 special = (Bytes16)(v == '"') | (Bytes16)(v == '\\') | (Bytes16)(v < 0x20) | v;
  return bit_mask(special);
}

// The first such byte, or `end`. Reads nothing behind `end`.
inline const char* skip_plain(const char* p, const char* end) {
  while (end - p >= 16) {
    uint32_t mask = special_mask(load16(p));
    if (mask != 0) return p + __builtin_ctz(mask);
    p += 16;
  }
  for (; p != end; ++p) {
    uint8_t c = static_cast<uint8_t>(*p);
    if (c == '"' || c == '\\' || c < 0x20 || c >= 0x80) return p;
  }
  return p;
}

}  // namespace sm::json
