#include "core/json/shortest.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "core/base/check.h"

namespace sm::json {
namespace {

using Wide = unsigned __int128;

// A whole number of any size that is needed here: 801 digits, times a power of five or of two.
class Natural {
 public:
  explicit Natural(uint64_t value) { multiply_add(0, value); }

  explicit Natural(std::string_view digits) {
    constexpr size_t kStep = 9;  // so many digits fit a factor
    while (!digits.empty()) {
      uint32_t factor = 1, more = 0;
      for (char digit : digits.substr(0, kStep)) {
        factor *= 10;
        more = more * 10 + static_cast<uint32_t>(digit - '0');
      }
      multiply_add(factor, more);
      digits.remove_prefix(std::min(kStep, digits.size()));
    }
  }

  void multiply_add(uint32_t factor, uint64_t more) {
    uint64_t carry = more;
    for (size_t i = 0; i < size_; ++i) {
      carry += static_cast<uint64_t>(limbs_[i]) * factor;
      limbs_[i] = static_cast<uint32_t>(carry);
      carry >>= 32;
    }
    for (; carry > 0; carry >>= 32) push(static_cast<uint32_t>(carry));
  }

  void multiply_by_power_of_five(int exponent) {
    constexpr int kStep = 13;
    constexpr uint32_t kPower = 1'220'703'125;
    for (; exponent >= kStep; exponent -= kStep) multiply_add(kPower, 0);
    for (; exponent > 0; --exponent) multiply_add(5, 0);
  }

  void divide(uint32_t divisor) {
    uint64_t rest = 0;
    for (size_t i = size_; i-- > 0;) {
      rest = rest << 32 | limbs_[i];
      limbs_[i] = static_cast<uint32_t>(rest / divisor);
      rest %= divisor;
    }
    while (size_ > 0 && limbs_[size_ - 1] == 0) --size_;
  }

  void shift_left(int bits) {
    if (size_ == 0) return;
    auto whole = static_cast<size_t>(bits) / 32;
    SM_CHECK(size_ + whole < limbs_.size());
    std::copy_backward(limbs_.begin(), limbs_.begin() + static_cast<ptrdiff_t>(size_),
                       limbs_.begin() + static_cast<ptrdiff_t>(size_ + whole));
    std::fill_n(limbs_.begin(), whole, 0);
    size_ += whole;
    multiply_add(uint32_t{1} << bits % 32, 0);
  }

  // The first 128 bits, from the highest that is set on.
  Wide top() const {
    Wide top = 0;
    for (size_t i = 0; i < 5; ++i) {
      uint32_t limb = i < size_ ? limbs_[size_ - 1 - i] : 0;
      if (i < 4) {
        top = top << 32 | limb;
      } else if (int zeros = __builtin_clz(limbs_[size_ - 1]); zeros > 0) {
        top = top << zeros | limb >> (32 - zeros);
      }
    }
    return top;
  }

  // Negative, zero or positive.
  static int compare(const Natural& a, const Natural& b) {
    if (a.size_ != b.size_) return a.size_ < b.size_ ? -1 : 1;
    for (size_t i = a.size_; i-- > 0;) {
      if (a.limbs_[i] != b.limbs_[i]) return a.limbs_[i] < b.limbs_[i] ? -1 : 1;
    }
    return 0;
  }

 private:
  void push(uint32_t limb) {
    SM_CHECK(size_ < limbs_.size());
    limbs_[size_++] = limb;
  }

  std::array<uint32_t, 160> limbs_;
  size_t size_ = 0;
};

// The first 128 bits of each power of ten that a double may need, those behind them cut off.
class PowersOfTen {
 public:
  static constexpr int kLeast = -342, kMost = 324;

  PowersOfTen() {
    Natural power(1);
    for (int i = 0; i <= kMost; ++i, power.multiply_add(5, 0)) at(i) = power.top();
    // Cut off again and again is cut off once. The last one has 128 bits and more.
    constexpr int kBits = 990;
    Natural fraction(1);
    fraction.shift_left(kBits);
    for (int i = -1; i >= kLeast; --i) {
      fraction.divide(5);
      at(i) = fraction.top();
    }
  }

  Wide cut_off(int exponent) const { return bits_[static_cast<size_t>(exponent - kLeast)]; }
  // Five to the 55th has 128 bits.
  static bool is_exact(int exponent) { return exponent >= 0 && exponent <= 55; }

 private:
  Wide& at(int exponent) { return bits_[static_cast<size_t>(exponent - kLeast)]; }

  std::array<Wide, kMost - kLeast + 1> bits_;
};

const PowersOfTen& powers_of_ten() {
  static const PowersOfTen powers;
  return powers;
}

// Of ten to the exponent, rounded down.
int log2_of_power(int exponent) { return (exponent * 1741647) >> 19; }

// The upper 128 of the 192 bits of a product.
Wide multiply(Wide power, uint64_t factor) {
  Wide low = static_cast<Wide>(static_cast<uint64_t>(power)) * factor;
  return static_cast<Wide>(static_cast<uint64_t>(power >> 64)) * factor + (low >> 64);
}

// A positive double, as IEEE 754 writes it: the fraction's 52 bits, and the exponent above them. So
// the next double is the next number.
using Bits = uint64_t;
constexpr int kFractionBits = 52;
constexpr Bits kHidden = Bits{1} << kFractionBits;
constexpr Bits kInfinite = Bits{0x7FF} << kFractionBits;

// The nearest to w times ten to the q.
Bits nearest(uint64_t w, int q) {
  if (q < PowersOfTen::kLeast) return 0;
  if (q > 308) return kInfinite;
  int zeros = __builtin_clzll(w);
  // Rounded up where the power is below one: so much is proven to be enough.
  Wide product = multiply(powers_of_ten().cut_off(q) + (q < 0 ? 1 : 0), w << zeros);
  auto high = static_cast<uint64_t>(product >> 64);
  auto low = static_cast<uint64_t>(product);
  int upper = static_cast<int>(high >> 63);
  int cut = upper + 64 - kFractionBits - 3;
  uint64_t fraction = high >> cut;
  int exponent = log2_of_power(q) + 63 + upper - zeros + 1023;
  if (exponent <= 0) {
    if (exponent <= -63) return 0;
    fraction >>= 1 - exponent;
    return (fraction + (fraction & 1)) >> 1;
  }
  // Right in the middle between two: only here can it be, and it goes to the even one.
  bool is_middle = low <= 1 && q >= -4 && q <= 23 && (fraction & 3) == 1 && fraction << cut == high;
  if (is_middle) --fraction;
  fraction = (fraction + (fraction & 1)) >> 1;
  // One that was rounded up to the next power of two raises the exponent by its carry.
  Bits bits = (static_cast<Bits>(exponent) << kFractionBits) + (fraction - kHidden);
  return std::min(bits, kInfinite);
}

struct Split {
  uint64_t c;  // the double is c times two to the q
  int q;
};

Split split(Bits bits) {
  auto exponent = static_cast<int>(bits >> kFractionBits);
  Bits fraction = bits & (kHidden - 1);
  if (exponent == 0) return {fraction, -1074};
  return {fraction | kHidden, exponent - 1075};
}

// Which of `low` and the next double is nearer to digits times ten to the q.
Bits nearer(Bits low, std::string_view digits, int q) {
  Natural given(digits);
  auto [c, p] = split(low);
  Natural middle(2 * c + 1);  // times two to the p - 1
  (q >= 0 ? given : middle).multiply_by_power_of_five(q >= 0 ? q : -q);
  int shift = q - (p - 1);
  (shift >= 0 ? given : middle).shift_left(shift >= 0 ? shift : -shift);
  int side = Natural::compare(given, middle);
  return side > 0 || (side == 0 && (low & 1) != 0) ? low + 1 : low;
}

Bits read_double(std::string_view digits, int point) {
  // So many fit 64 bits.
  constexpr size_t kDigits = 19;
  size_t count = std::min(digits.size(), kDigits);
  uint64_t w = 0;
  for (char digit : digits.substr(0, count)) w = w * 10 + static_cast<uint64_t>(digit - '0');
  int q = point - static_cast<int>(count);
  Bits low = nearest(w, q);
  if (digits.size() == count || nearest(w + 1, q) == low) return low;
  return nearer(low, digits, point - static_cast<int>(digits.size()));
}

struct Decimal {
  uint64_t digits;
  int exponent;
};

// Which of s and s + 1 lies between the bounds, all in quarters; -1 where it is both or none.
int only_inside(uint64_t s, uint64_t step, uint64_t lower, uint64_t upper) {
  bool below = lower <= s * step;
  bool above = s * step + step <= upper;
  return below == above ? -1 : above ? 1 : 0;
}

// The shortest decimal within what reads back as the double, and the nearest of those.
Decimal print_double(Bits bits) {
  auto [c, q] = split(bits);
  // The doubles below a power of two are twice as dense as those above.
  bool is_power = c == kHidden && bits >> kFractionBits > 1;
  int k = (q * 1262611 - (is_power ? 524031 : 0)) >> 22;
  int shift = q + log2_of_power(-k) + 1;
  Wide power = powers_of_ten().cut_off(-k) + (PowersOfTen::is_exact(-k) ? 0 : 1);
  auto scaled = [&](uint64_t quarters) {
    Wide product = multiply(power, quarters << shift);
    // Rounded to odd: the last bit says that there is more.
    return static_cast<uint64_t>(product >> 64) | (static_cast<uint64_t>(product) > 1 ? 1 : 0);
  };
  uint64_t odd = c & 1;
  uint64_t lower = scaled(4 * c - 2 + (is_power ? 1 : 0)) + odd;
  uint64_t upper = scaled(4 * c + 2) - odd;
  uint64_t value = scaled(4 * c);
  uint64_t s = value / 4;
  if (s >= 10) {
    int inside = only_inside(s / 10, 40, lower, upper);
    if (inside >= 0) return {s / 10 + static_cast<uint64_t>(inside), k + 1};
  }
  int inside = only_inside(s, 4, lower, upper);
  if (inside >= 0) return {s + static_cast<uint64_t>(inside), k};
  uint64_t middle = 4 * s + 2;
  bool up = value > middle || (value == middle && (s & 1) != 0);
  return {s + (up ? 1 : 0), k};
}

}  // namespace

Shortest shortest_digits(std::string_view digits, int point) {
  Shortest out;
  Bits bits = read_double(digits, point);
  if (bits == 0) return out;
  if (bits == kInfinite) {
    out.kind = Shortest::Kind::infinite;
    return out;
  }
  out.kind = Shortest::Kind::finite;
  Decimal decimal = print_double(bits);
  char text[20];
  size_t count = 0;
  for (uint64_t rest = decimal.digits; rest > 0; rest /= 10) {
    text[count++] = static_cast<char>('0' + rest % 10);
  }
  out.point = decimal.exponent + static_cast<int>(count);
  std::reverse_copy(text, text + count, out.digits);
  while (count > 1 && out.digits[count - 1] == '0') --count;
  out.count = count;
  return out;
}

}  // namespace sm::json
