#include "core/base/arena.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

namespace sm {
namespace {

TEST(Arena, EverySizeStaysAlignedAndDoesNotTouchItsNeighbours) {
  Arena arena(128);
  std::vector<std::pair<char*, size_t>> taken;
  for (size_t bytes = 1; bytes <= 300; ++bytes) {
    char* place = arena.allocate(bytes);
    ASSERT_EQ(reinterpret_cast<uintptr_t>(place) % 8, 0u) << bytes;
    std::memset(place, static_cast<int>(bytes & 0xff), bytes);
    taken.emplace_back(place, bytes);
  }
  for (auto [place, bytes] : taken) {
    EXPECT_EQ(std::string(place, bytes), std::string(bytes, static_cast<char>(bytes & 0xff)));
  }
}

TEST(Arena, MarksNestAndEachReleaseGivesUpOnlyWhatCameAfterIt) {
  Arena arena(64);
  std::vector<Arena::Mark> marks;
  std::vector<std::string_view> kept;
  for (char c = 'a'; c <= 'z'; ++c) {
    marks.push_back(arena.mark());
    kept.push_back(arena.copy(std::string(40, c)));
  }
  for (size_t left = 26; left > 0; --left) {
    arena.release(marks[left - 1]);
    arena.copy(std::string(150, '!'));
    for (size_t i = 0; i + 1 < left; ++i) {
      ASSERT_EQ(kept[i], std::string(40, static_cast<char>('a' + i))) << left;
    }
    arena.release(marks[left - 1]);
  }
}

TEST(Arena, AReleasedArenaTakesTheSameWorkWithoutFurtherMemory) {
  Arena arena(256);
  auto work = [&] {
    for (size_t bytes : {10u, 5000u, 1u, 255u, 256u, 257u, 3000u, 64u}) arena.allocate(bytes);
  };
  work();
  size_t held = arena.capacity();
  for (int round = 0; round < 20; ++round) {
    arena.release_all();
    work();
    ASSERT_EQ(arena.capacity(), held) << round;
  }
}

TEST(Arena, AChunkThatIsTooSmallIsPassedOverForALaterOne) {
  Arena arena(64);
  arena.allocate(64);
  arena.allocate(64);
  arena.allocate(1000);
  size_t held = arena.capacity();
  arena.release_all();
  arena.allocate(64);
  std::memset(arena.allocate(1000), 1, 1000);
  EXPECT_EQ(arena.capacity(), held) << "the large chunk moved up";
}

TEST(Arena, AReservationThatGrowsLeavesWhatWasCommittedInPlace) {
  Arena arena(64);
  char* first = arena.reserve(16);
  std::memcpy(first, "committed bytes!", 16);
  arena.commit(16);
  char* second = arena.reserve(1000);
  EXPECT_GE(arena.available(), 1000u);
  std::memset(second, '?', 1000);
  arena.commit(500);
  EXPECT_EQ(std::string_view(first, 16), "committed bytes!");
  EXPECT_EQ(arena.reserve(1), second + 504);
}

TEST(Arena, AnEmptyTextTakesNothing) {
  Arena arena;
  EXPECT_EQ(arena.available(), 0u);
  EXPECT_EQ(arena.copy(""), "");
  char* place = arena.allocate(1);
  EXPECT_EQ(arena.copy("").data(), place + 8);
  EXPECT_EQ(arena.allocate(1), place + 8);
}

TEST(ArenaDeathTest, ReleasingForwardsTraps) {
  Arena arena(64);
  arena.allocate(64);
  arena.allocate(64);
  Arena::Mark late = arena.mark();
  arena.release_all();
  EXPECT_DEATH(arena.release(late), "check failed");
}

TEST(ArenaDeathTest, CommittingMoreThanWasReservedTraps) {
  Arena arena(64);
  arena.reserve(8);
  EXPECT_DEATH(arena.commit(65), "check failed");
}

}  // namespace
}  // namespace sm
