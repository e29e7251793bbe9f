// Seeded randomness of a history: the same seed gives the same history on every machine, which the
// distributions of the standard library do not promise.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>

namespace simulation {

// SplitMix64.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15 + 0x1234567) {}

  uint64_t next() {
    uint64_t z = (state_ += 0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
  }

  // From 0 to below `bound`.
  size_t below(size_t bound) { return static_cast<size_t>(next() % bound); }
  bool chance(size_t percent) { return below(100) < percent; }

  template <typename T>
  T pick(std::initializer_list<T> list) {
    return *(list.begin() + below(list.size()));
  }

  std::string bytes(size_t count) {
    std::string text;
    while (text.size() < count) text += static_cast<char>(next() & 0xff);
    return text;
  }

 private:
  uint64_t state_;
};

}  // namespace simulation
