// The shortest decimal that reads back as the same double: what ECMAScript prints. Exact, and
// within half a microsecond whatever the number is: the C library takes up to a hundred, and a body
// has room for a quarter of a million of those.
//
// Reading is Lemire's "Number parsing at a gigabyte per second" (2021), printing is Giulietti's
// "The Schubfach way to render doubles" (2020). Both multiply by 128 bits of a power of ten, which
// are worked out when the first number needs one: a table of them would be a twentieth of the
// module.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sm::json {

// Enough that no double, and no middle between two, has more (767); digits behind them only say
// "and a bit".
inline constexpr size_t kMaxDecimalDigits = 800;

struct Shortest {
  enum class Kind : uint8_t { finite, zero, infinite };
  Kind kind = Kind::zero;
  int point = 0;  // the value is 0.DIGITS times ten to the `point`
  size_t count = 0;
  char digits[20];
};

// Of the double that is nearest to 0.DIGITS times ten to the `point`, which is from -330 to 310;
// digits without a leading zero, one at least, at most kMaxDecimalDigits + 1.
Shortest shortest_digits(std::string_view digits, int point);

}  // namespace sm::json
