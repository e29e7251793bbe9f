// Numbers: where they end, and their canonical form.
//
// Integers keep their digits. Decimals of at most 15 significant digits pass through binary and
// back unchanged (DBL_DIG), so their ECMAScript form (ECMA-262, Number::toString) follows from the
// text alone; only the rest is converted, exactly.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/json/text.h"

namespace sm::json {

struct NumberScan {
  Scan result = Scan::ok;
  bool may_end = false;    // cut: what is there would be a number if nothing followed
  bool canonical = false;  // ok, or may_end: the text is canonical as it stands
  const char* at;          // ok: behind the number; bad: the byte
};

// The number that begins at `p`, with a digit or a minus sign.
NumberScan scan_number(const char* p, const char* end);

inline constexpr size_t kMaxNumberText = 32;

// The canonical text of a number that is none yet, into `out` of kMaxNumberText bytes; its size, or
// 0 where the number is beyond the finite doubles.
size_t write_number(std::string_view token, char* out);

}  // namespace sm::json
