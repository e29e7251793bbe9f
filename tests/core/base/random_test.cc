#include "core/base/random.h"

#include <gtest/gtest.h>

#include <array>
#include <set>

#include "core/base/sha256.h"

namespace sm {
namespace {

const std::string kSeed(64, '\7');

TEST(RandomBytes, one_seed_gives_the_same_bytes_however_they_are_taken) {
  std::string whole = RandomBytes(kSeed).take(1000);
  RandomBytes parts(kSeed);
  std::string joined;
  for (size_t count : {0u, 1u, 20u, 11u, 32u, 33u, 64u, 839u}) joined += parts.take(count);
  EXPECT_EQ(joined, whole);
}

TEST(RandomBytes, the_blocks_are_those_of_counter_mode) {
  std::string bytes = RandomBytes(kSeed).take(64);
  Sha256Digest first = hmac_sha256(kSeed, std::string(8, '\0'));
  Sha256Digest second = hmac_sha256(kSeed, std::string("\1\0\0\0\0\0\0\0", 8));
  EXPECT_EQ(bytes.substr(0, 32), std::string(first.begin(), first.end()));
  EXPECT_EQ(bytes.substr(32), std::string(second.begin(), second.end()));
}

TEST(RandomBytes, another_seed_gives_other_bytes) {
  EXPECT_NE(RandomBytes(kSeed).take(32), RandomBytes(std::string(64, '\x8')).take(32));
}

TEST(RandomBytes, thousands_of_bytes_repeat_nothing_and_favour_no_value) {
  constexpr size_t kPieces = 5000;
  RandomBytes random(kSeed);
  std::set<std::string> seen;
  std::array<size_t, 256> counts{};
  for (size_t i = 0; i < kPieces; ++i) {
    std::string piece = random.take(20);
    for (char byte : piece) ++counts[static_cast<uint8_t>(byte)];
    EXPECT_TRUE(seen.insert(std::move(piece)).second) << "piece " << i << " came before";
  }
  // 100,000 bytes give each value 391 times on average, and 20 standard deviations to either side.
  for (size_t count : counts) {
    EXPECT_GT(count, 200u);
    EXPECT_LT(count, 800u);
  }
}

}  // namespace
}  // namespace sm
