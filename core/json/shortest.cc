#include "core/json/shortest.h"

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

}  // namespace

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
