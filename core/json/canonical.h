// The canonicaliser: JSON text from outside becomes the one text that is stored, hashed and
// compared.
//
// In: strict RFC 8259, UTF-8 checked. Out: RFC 8785 (JCS), that is: no white space, members sorted
// by the UTF-16 code units of their keys, the shortest string escapes, numbers as ECMAScript prints
// them. One deviation: integer tokens (neither fraction nor exponent) keep their digits, however
// many they are (`-0` becomes `0`).
//
// Two kinds of failure. A *syntax* error ends the text it stands in: nothing after it can be
// trusted. A *refusal* concerns one value that is well-formed JSON but not storable; its end is
// found all the same, so that an import can go on behind it.
//
// How it works: one pass over the value, no recursion. Each scalar becomes a node that points at
// its canonical text, which mostly is the input itself; each container that ends moves its nodes,
// members sorted, to a tape; when the outermost value ends the tape is written out at once, its
// length being known. Objects of a list resemble each other, so the order of keys of the last
// object at the same place is tried first (key_shapes.h): where it holds, a key costs one 16-byte
// comparison and sorting costs nothing. What is too deep or too large is skipped by the validator.
//
// Memory: nodes take up to 64 bytes in WebAssembly for each value, of which there are at most
// kMaxValues, and are kept for the next value. The canonical text and rewritten strings live in the
// caller's arena. Buffers up to 1 GiB.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "core/base/arena.h"

namespace sm::json {

// Containers within containers, the value itself counted.
inline constexpr size_t kMaxDepth = 128;
// Of a body, each of whose members may have that depth.
inline constexpr size_t kMaxBodyDepth = kMaxDepth + 1;
inline constexpr size_t kMaxFaultPointerBytes = 1024;
// Values within one value, itself counted: scalars, objects and lists. A value takes 2 bytes of a
// body and many more of memory.
inline constexpr size_t kMaxValues = 50'000;
// The canonical form of one property.
inline constexpr size_t kMaxPropertyBytes = 512 * 1024;

// Why a value is not stored. Where several apply it is the first that was met, but for too_deep and
// those that leave no text, which go before all others.
//
// A refused value still has a text, in which an identity can be looked for: what cannot be stored
// is an empty list there, which no identity is.
enum class Refusal : uint8_t {
  none,
  lone_surrogate,   // \ud800 without its other half; in a key the text has U+FFFD in its place
  duplicate_key,    // the text has both members
  not_finite,       // a number beyond the doubles, as 1e400
  too_deep,         // a container beyond the last level
  too_large,        // no text
  too_many_values,  // no text
  malformed,        // no text: a line that is no JSON (line_reader.h), never a value
};

// `lone_surrogate` and so on.
std::string_view refusal_name(Refusal refusal);

// Whether the end of a buffer is the end of the text: `12` may go on, and `[1` is an error only at
// the end.
enum class BufferEnd : uint8_t { more, final };

enum class Outcome : uint8_t { done, need_more, syntax };

struct Canonical {
  Outcome outcome = Outcome::need_more;
  Refusal refusal = Refusal::none;
  // done: the bytes that the value took. syntax: where the first byte is that cannot continue a
  // JSON text, which is the length of the buffer for text that is cut off.
  size_t offset = 0;
  // done: the canonical form, in the arena; empty for too_large.
  std::string_view text;
  // done, but refused: the JSON Pointer of the member at fault, in the arena. Of one that is longer
  // than kMaxFaultPointerBytes it is that of what is around it.
  std::string_view pointer;
};

class Canonicalizer {
 public:
  explicit Canonicalizer(size_t max_bytes = kMaxPropertyBytes, size_t max_depth = kMaxDepth);
  ~Canonicalizer();
  Canonicalizer(const Canonicalizer&) = delete;
  Canonicalizer& operator=(const Canonicalizer&) = delete;

  // Reads the one value that starts at the first byte of `buffer` (white space there is a syntax
  // error). After need_more the caller calls again with more bytes, from the value's start; nothing
  // of the attempt is kept.
  Canonical read(std::string_view buffer, BufferEnd end, Arena& arena);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

inline constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

// A whole text: one value, white space around it, one leading byte order mark. Never need_more;
// offsets count the mark.
Canonical canonicalize(std::string_view text, Arena& arena, size_t max_bytes = kMaxPropertyBytes,
                       size_t max_depth = kMaxDepth);

}  // namespace sm::json
