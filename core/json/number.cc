#include "core/json/number.h"

#include <algorithm>
#include <cstring>

#include "core/json/shortest.h"

namespace sm::json {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

const char* skip_digits(const char* p, const char* end) {
  while (p != end && is_digit(*p)) ++p;
  return p;
}

// Whether `integer.fraction`, without an exponent, is what ECMAScript would print.
bool is_canonical_decimal(const char* integer, const char* point, const char* end) {
  if (end[-1] == '0') return false;
  const char* first = integer;
  if (*integer == '0') {
    first = point + 1;
    while (*first == '0') ++first;
    if (first - point > 6) return false;  // below 1e-6 there is an exponent
    return end - first <= 15;
  }
  return end - first <= 16;  // the point is one of them
}

// The significant digits of a token and where its point stands: 0.DIGITS times ten to the `point`.
struct Decimal {
  bool negative = false;
  bool inexact = false;  // further digits, not all of them zero, were left out
  int64_t point = 0;
  size_t count = 0;
  char digits[kMaxDecimalDigits + 1];
};

void take_digit(Decimal& decimal, char digit) {
  if (decimal.count == 0 && digit == '0') return;
  if (decimal.count < kMaxDecimalDigits) {
    decimal.digits[decimal.count++] = digit;
  } else if (digit != '0') {
    decimal.inexact = true;
  }
}

void read_decimal(std::string_view token, Decimal& decimal) {
  const char* p = token.data();
  const char* end = p + token.size();
  decimal.negative = *p == '-';
  if (decimal.negative) ++p;
  for (; p != end && is_digit(*p); ++p) {
    take_digit(decimal, *p);
    if (decimal.count > 0) ++decimal.point;
  }
  if (p != end && *p == '.') {
    for (++p; p != end && is_digit(*p); ++p) {
      take_digit(decimal, *p);
      if (decimal.count == 0) --decimal.point;
    }
  }
  if (p != end) {
    ++p;
    bool down = *p == '-';
    if (!is_digit(*p)) ++p;
    int64_t exponent = 0;
    // Far beyond what digits before or behind the point could make up for.
    for (; p != end; ++p)
      exponent = std::min<int64_t>(exponent * 10 + (*p - '0'), int64_t{1} << 40);
    decimal.point += down ? -exponent : exponent;
  }
  if (!decimal.inexact) {
    while (decimal.count > 0 && decimal.digits[decimal.count - 1] == '0') --decimal.count;
  }
}

// ECMA-262, Number::toString: 0.DIGITS times ten to the `point`.
size_t write_ecmascript(bool negative, const char* digits, size_t count, int point, char* out) {
  char* p = out;
  auto put = [&p](const char* from, size_t n) { std::memcpy(p, from, n), p += n; };
  auto zeros = [&p](size_t n) { std::memset(p, '0', n), p += n; };
  if (negative) *p++ = '-';
  int k = static_cast<int>(count);
  if (k <= point && point <= 21) {
    put(digits, count);
    zeros(static_cast<size_t>(point - k));
  } else if (0 < point && point <= 21) {
    put(digits, static_cast<size_t>(point));
    *p++ = '.';
    put(digits + point, static_cast<size_t>(k - point));
  } else if (-6 < point && point <= 0) {
    put("0.", 2);
    zeros(static_cast<size_t>(-point));
    put(digits, count);
  } else {
    *p++ = digits[0];
    if (count > 1) {
      *p++ = '.';
      put(digits + 1, count - 1);
    }
    *p++ = 'e';
    int exponent = point - 1;
    *p++ = exponent < 0 ? '-' : '+';
    unsigned rest = static_cast<unsigned>(exponent < 0 ? -exponent : exponent);
    if (rest >= 100) *p++ = static_cast<char>('0' + rest / 100);
    if (rest >= 10) *p++ = static_cast<char>('0' + rest / 10 % 10);
    *p++ = static_cast<char>('0' + rest % 10);
  }
  return static_cast<size_t>(p - out);
}

}  // namespace

NumberScan scan_number(const char* p, const char* end) {
  const char* start = p;
  auto stop = [end](const char* at) -> NumberScan {
    return {.result = at == end ? Scan::cut : Scan::bad, .at = at};
  };
  auto over = [end](const char* at, bool canonical) -> NumberScan {
    return {at == end ? Scan::cut : Scan::ok, at == end, canonical, at};
  };
  if (*p == '-') ++p;
  const char* integer = p;
  if (p == end || !is_digit(*p)) return stop(p);
  p = *p == '0' ? p + 1 : skip_digits(p, end);
  const char* point = p;
  if (p == end || (*p != '.' && *p != 'e' && *p != 'E')) {
    return over(p, *integer != '0' || integer == start);
  }
  if (*p == '.') {
    ++p;
    if (p == end || !is_digit(*p)) return stop(p);
    p = skip_digits(p, end);
    if (p == end || (*p != 'e' && *p != 'E')) {
      return over(p, is_canonical_decimal(integer, point, p));
    }
  }
  ++p;
  if (p != end && (*p == '+' || *p == '-')) ++p;
  if (p == end || !is_digit(*p)) return stop(p);
  return over(skip_digits(p, end), false);
}

size_t write_number(std::string_view token, char* out) {
  Decimal decimal;
  read_decimal(token, decimal);
  constexpr int64_t kSmallest = -330,
                    kLargest = 310;  // as powers of ten: beyond, zero and infinity are certain
  if (decimal.count == 0 || decimal.point < kSmallest) {
    *out = '0';
    return 1;
  }
  if (decimal.point > kLargest) return 0;
  int point = static_cast<int>(decimal.point);
  // Fifteen digits are certain only where doubles have their full precision.
  if (decimal.count <= 15 && point > -300 && point < 300) {
    return write_ecmascript(decimal.negative, decimal.digits, decimal.count, point, out);
  }
  // One digit more in place of all those left out: it only has to tell which side of a middle the
  // number is on.
  if (decimal.inexact) decimal.digits[decimal.count++] = '1';
  Shortest shortest = shortest_digits({decimal.digits, decimal.count}, point);
  if (shortest.kind == Shortest::Kind::infinite) return 0;
  if (shortest.kind == Shortest::Kind::zero) {
    *out = '0';
    return 1;
  }
  return write_ecmascript(decimal.negative, shortest.digits, shortest.count, shortest.point, out);
}

}  // namespace sm::json
