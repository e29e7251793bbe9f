#include "core/json/shortest.h"

#include <array>
#include <cfloat>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace sm::json {
namespace {

double read_double(std::string_view digits, int point) {
  char text[kMaxDecimalDigits + 24];
  std::memcpy(text, "0.", 2);
  std::memcpy(text + 2, digits.data(), digits.size());
  std::snprintf(text + 2 + digits.size(), 12, "e%d", point);
  return std::strtod(text, nullptr);
}

// `%.*e` prints d.ddde±xx.
void print_digits(double value, int precision, Shortest& out) {
  char text[40];
  std::snprintf(text, sizeof text, "%.*e", precision - 1, value);
  out.count = static_cast<size_t>(precision);
  out.digits[0] = text[0];
  if (precision > 1) std::memcpy(out.digits + 1, text + 2, out.count - 1);
  out.point = std::atoi(std::strchr(text, 'e') + 1) + 1;
}

bool reads_back(const Shortest& candidate, double value) {
  return read_double({candidate.digits, candidate.count}, candidate.point) == value;
}

// The next larger decimal of as many digits.
void increment(Shortest& out) {
  for (size_t i = out.count; i-- > 0;) {
    if (out.digits[i] != '9') {
      ++out.digits[i];
      return;
    }
    out.digits[i] = '0';
  }
  out.digits[0] = '1';
  ++out.point;
}

using Wide = unsigned __int128;

// Up to here powers of ten are exact doubles.
constexpr int kMaxPower = 22;

struct Powers {
  std::array<Wide, kMaxPower + 1> wide = {1};
  std::array<double, kMaxPower + 1> real = {1};
  constexpr Powers() {
    for (size_t i = 1; i <= kMaxPower; ++i) {
      wide[i] = wide[i - 1] * 10;
      real[i] = real[i - 1] * 10;
    }
  }
};

constexpr Powers kPowersOfTen;

}  // namespace

// In whole numbers: the decimal is w / 10^q, the double m / 2^k, and with both sides times 10^q and
// 2^k they are compared exactly. Which double it is comes from a division that may be off by one
// place; then the first test fails.
bool is_shortest(std::string_view digits, int point) {
  int q = static_cast<int>(digits.size()) - point;
  if (digits.size() > 17 || q < 0 || q > kMaxPower) return false;
  uint64_t w = 0;
  for (char digit : digits) w = w * 10 + static_cast<uint64_t>(digit - '0');
  Wide p = kPowersOfTen.wide[static_cast<size_t>(q)];
  int exponent;
  double fraction =
      std::frexp(static_cast<double>(w) / kPowersOfTen.real[static_cast<size_t>(q)], &exponent);
  uint64_t m = static_cast<uint64_t>(std::ldexp(fraction, DBL_MANT_DIG));
  int k = DBL_MANT_DIG - exponent;
  // Next to a power of two the doubles below are nearer than those above. Whole numbers beyond 2^53
  // are rare.
  if (k <= 0 || fraction == 0.5) return false;
  Wide value = m * p;  // below 2^53 * 10^22, which is below 2^127
  auto twice_off = [&](uint64_t decimal) {
    Wide other = static_cast<Wide>(decimal) << k;
    return 2 * (other > value ? other - value : value - other);
  };
  bool reads_back = twice_off(w) < p;
  bool is_nearest = twice_off(w) < static_cast<Wide>(1) << k;
  uint64_t shorter = w - w % 10;
  return reads_back && is_nearest && twice_off(shorter) > p && twice_off(shorter + 10) > p;
}

Shortest shortest_digits(std::string_view digits, int point) {
  double value = read_double(digits, point);
  Shortest out;
  if (value == 0) return out;
  if (std::isinf(value)) {
    out.kind = Shortest::Kind::infinite;
    return out;
  }
  out.kind = Shortest::Kind::finite;
  int exponent;
  // Doubles below a power of two are twice as dense as above it: the nearest decimal of some length
  // may belong to the next double down where the one above, a little farther off, still reads back
  // as the power itself.
  bool power_of_two = std::frexp(value, &exponent) == 0.5;
  // Normal doubles print right from 15 digits on, zeros at the end cut off; subnormal ones may need
  // as few as one.
  for (int precision = value < DBL_MIN ? 1 : 15; precision <= 17; ++precision) {
    print_digits(value, precision, out);
    if (precision == 17 || reads_back(out, value)) break;
    if (!power_of_two) continue;
    increment(out);
    if (reads_back(out, value)) break;
  }
  while (out.count > 1 && out.digits[out.count - 1] == '0') --out.count;
  return out;
}

}  // namespace sm::json
