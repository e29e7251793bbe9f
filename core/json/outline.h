// What is kept of a value that is too large to be kept, or has too many values within: enough of it
// to find an identity in.
//
// The bytes of a well-formed value pass through, as the validator checks them. Containers beyond so
// many levels become empty lists, and strings are cut off once they are longer than any identity or
// key that is looked for; the rest is copied. So the outline is JSON again, in which what is found
// where an identity is looked for is either what the value has there, or can be no identity.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/arena.h"
#include "core/json/canonical.h"

namespace sm::json {

// Raw bytes of a string that are kept. The longest identity has 512 bytes and the longest pointer
// 1 KiB (base/limits.h), of which each may be written in six.
inline constexpr size_t kOutlineStringBytes = 8 * 1024;
// A value with more than this at its first levels has no outline.
inline constexpr size_t kMaxOutlineBytes = 256 * 1024;

class Outline {
 public:
  // Starts over. Values within so many containers are kept: 1 for the members of the value itself.
  void reset(size_t levels);

  void feed(std::string_view part);

  // What stands for a value that is over, and was refused: the outline's canonical form in place of
  // its text. There is none where even the outline is too large, or has too many values.
  Canonical read(Canonicalizer& canonicalizer, Arena& arena, const Canonical& refused) const;

  // The same of a value that is at hand in one piece, where it left no text of its own.
  Canonical stand_in(std::string_view value, size_t levels, Canonicalizer& canonicalizer,
                     Arena& arena, const Canonical& read);

 private:
  void in_string(char byte);
  void between(char byte);
  void keep(char byte);

  std::string text_;
  size_t levels_ = 1;
  size_t depth_ = 0;
  size_t string_bytes_ = 0;
  size_t escape_left_ = 0;  // bytes of an escape that are still to come
  bool in_string_ = false;
  bool escaped_ = false;  // the byte before is a backslash
  bool is_cut_ = false;   // the rest of the string is not kept
  bool too_much_ = false;
};

}  // namespace sm::json
