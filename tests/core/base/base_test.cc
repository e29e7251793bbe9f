// Arena, times, encodings and the table of errors.
#include <gtest/gtest.h>

#include <cstring>

#include "core/base/arena.h"
#include "core/base/encoding.h"
#include "core/base/error.h"
#include "core/base/time.h"

namespace sm {
namespace {

TEST(Arena, KeepsWhatWasAllocatedUntilItIsReleased) {
  Arena arena(64);
  std::string_view first = arena.copy("first");
  Arena::Mark mark = arena.mark();
  for (int i = 0; i < 100; ++i) arena.copy(std::string(50, 'x'));
  EXPECT_EQ(first, "first");
  size_t held = arena.capacity();
  arena.release(mark);
  for (int i = 0; i < 100; ++i) arena.copy(std::string(50, 'y'));
  EXPECT_EQ(first, "first");
  EXPECT_EQ(arena.capacity(), held) << "memory that was given up is used again";
}

TEST(Arena, AllocationsAreAlignedAndLargerOnesThanAChunkFit) {
  Arena arena(64);
  for (size_t bytes : {1u, 3u, 9u, 200u, 7u, 5000u}) {
    char* place = arena.allocate(bytes);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(place) % 8, 0u);
    std::memset(place, 1, bytes);
  }
}

TEST(Arena, WhatIsReservedBecomesTakenByCommit) {
  Arena arena(64);
  char* place = arena.reserve(40);
  EXPECT_EQ(arena.reserve(40), place);
  arena.commit(8);
  EXPECT_EQ(arena.reserve(8), place + 8);
}

TEST(Time, IsTextWithMilliseconds) {
  EXPECT_EQ(to_text(Time{0}), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(to_text(Time{1768473000001}), "2026-01-15T10:30:00.001Z");
  EXPECT_EQ(to_text(Time{951782399999}), "2000-02-28T23:59:59.999Z");
  EXPECT_EQ(to_text(Time{951782400000}), "2000-02-29T00:00:00.000Z");
  EXPECT_EQ(to_text(Time{-1}), "1969-12-31T23:59:59.999Z");
  EXPECT_EQ(to_text(Time{-4'000'000'000'000'000}), "0000-01-01T00:00:00.000Z");
}

TEST(Base64url, RoundTripsAndRefusesWhatItDidNotMake) {
  for (std::string bytes : {"", "f", "fo", "foo", "foob", "\xff\xfe\x00\x01"}) {
    auto back = from_base64url(to_base64url(bytes));
    ASSERT_TRUE(back.has_value());
    EXPECT_EQ(*back, bytes);
  }
  EXPECT_EQ(to_base64url("foobar"), "Zm9vYmFy");
  for (const char* text : {"A", "AB", "Zg==", "Z g", "Zm9vYmF\xc3\xa9"}) {
    bool refused = !from_base64url(text).has_value() || text == std::string("AB");
    EXPECT_TRUE(refused) << text;
  }
  EXPECT_FALSE(from_base64url("AB").has_value()) << "left-over bits";
}

TEST(Encoding, ChecksumAndDigits) {
  EXPECT_EQ(crc32("123456789"), 0xcbf43926u);
  EXPECT_EQ(to_base62(std::string("\0\xff", 2)), "0z");
  EXPECT_TRUE(equal_in_constant_time("abc", "abc"));
  EXPECT_FALSE(equal_in_constant_time("abc", "abd"));
  EXPECT_FALSE(equal_in_constant_time("abc", "ab"));
}

TEST(ErrorTable, HasAStatusForEveryCode) {
  for (int code = 0; code <= static_cast<int>(ErrorCode::cancelled); ++code) {
    const ErrorInfo& info = error_info(static_cast<ErrorCode>(code));
    EXPECT_GE(info.status, 400);
    EXPECT_FALSE(info.title.empty());
  }
}

}  // namespace
}  // namespace sm
