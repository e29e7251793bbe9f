// The shortest decimal that reads back as the same double: what ECMAScript prints. Exact, by way of
// the C library.
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

// Whether digits without zeros at either end are, as they stand, the shortest for the double that
// is nearest to them. A quick answer for what programs print, 16 or 17 digits of everyday size;
// false may also mean that it was not tried.
bool is_shortest(std::string_view digits, int point);

// Of the double that is nearest to 0.DIGITS times ten to the `point`; digits without a leading
// zero, at most kMaxDecimalDigits + 1.
Shortest shortest_digits(std::string_view digits, int point);

}  // namespace sm::json
