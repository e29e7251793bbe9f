#include "core/sync/plan.h"

#include <gtest/gtest.h>

namespace sm::sync {
namespace {

TEST(Plan, EachClassCountsWhereTheTableOfTheApiSays) {
  struct {
    Class of;
    Stats each;
  } const kRows[] = {
      {Class::gone, {}},
      {Class::hold, {.conflicts = 1}},
      {Class::remove, {.removed = 1}},
      {Class::retract, {}},
      {Class::none, {}},
      {Class::create, {.created = 1}},
      {Class::revive, {.created = 1}},
      {Class::contest, {.warnings = 1}},
      {Class::agree, {}},
      {Class::update, {.updated = 1}},
      {Class::accept, {}},
      {Class::keep, {.warnings = 1}},
      {Class::conflict, {.warnings = 1, .conflicts = 1}},
  };
  static_assert(std::size(kRows) == kClasses);
  for (const auto& row : kRows) {
    Plan plan;
    plan[row.of] = {10, 0};
    Stats stats = plan.stats(100);
    EXPECT_EQ(stats.created, row.each.created * 10) << class_name(row.of);
    EXPECT_EQ(stats.updated, row.each.updated * 10) << class_name(row.of);
    EXPECT_EQ(stats.warnings, row.each.warnings * 10) << class_name(row.of);
    EXPECT_EQ(stats.conflicts, row.each.conflicts * 10) << class_name(row.of);
    EXPECT_EQ(stats.removed, row.each.removed * 10) << class_name(row.of);
    EXPECT_EQ(stats.written(), stats.created + stats.updated + stats.removed);
    EXPECT_EQ(stats.created + stats.updated + stats.skipped + stats.warnings, 100)
        << "the live properties";
  }
}

TEST(Plan, AnEmptyTargetGetsAllLiveProperties) {
  Stats stats = all_created(7).stats(7);
  EXPECT_EQ(stats.created, 7);
  EXPECT_EQ(stats.skipped, 0);
  EXPECT_FALSE(all_created(0).writes());
}

TEST(Plan, ASyncThatDecidesLaterRunsEveryClass) {
  Plan plan = anything();
  for (size_t i = 0; i < kClasses; ++i) EXPECT_GT(plan[static_cast<Class>(i)].pending, 0) << i;
}

TEST(Plan, AnEmptyPlanSkipsEverything) {
  EXPECT_EQ(Plan().stats(12).json(),
            R"({"created":0,"updated":0,"skipped":12,"warnings":0,"conflicts":0,"removed":0})");
}

TEST(Plan, WritesWhereAnyClassHasRowsThatDoNotSaySoYet) {
  for (size_t i = 0; i < kClasses; ++i) {
    Plan plan;
    plan[static_cast<Class>(i)] = {5, 0};
    EXPECT_FALSE(plan.writes()) << i;
    plan[static_cast<Class>(i)].pending = 1;
    EXPECT_TRUE(plan.writes()) << i;
  }
}

TEST(Plan, TheTableIsInTheOrderOfItsClasses) {
  for (size_t i = 0; i < kClasses; ++i) EXPECT_EQ(kTable[i].of, static_cast<Class>(i));
}

TEST(Plan, WritesWhatTheClassesOfPendingRowsAreWrittenBy) {
  for (const ClassLine& line : kTable) {
    Plan plan;
    plan[line.of] = {5, 0};
    EXPECT_FALSE(plan.writes(line.write)) << line.name;
    plan[line.of].pending = 1;
    EXPECT_TRUE(plan.writes(line.write)) << line.name;
    EXPECT_EQ(plan.writes(RowWrite::take), line.of == Class::update) << line.name;
  }
}

TEST(Plan, StatsAreJsonInTheOrderOfTheApi) {
  Stats stats{1, 2, 3, 4, 5, 6};
  EXPECT_EQ(stats.json(),
            R"({"created":1,"updated":2,"skipped":3,"warnings":4,"conflicts":5,"removed":6})");
}

TEST(Plan, AContestNamesBothSources) {
  std::string warning = contest_warning({3, "Old \"one\""}, {9007199254740991, "New"});
  EXPECT_NE(warning.find("source 3 (Old \"one\")"), std::string::npos) << warning;
  EXPECT_NE(warning.find("source 9007199254740991 (New)"), std::string::npos) << warning;
  EXPECT_LT(warning.find("source 3"), warning.find("source 900")) << "the owner first";
}

TEST(Plan, WarningsDiffer) {
  EXPECT_NE(kKeepWarning, kConflictWarning);
  EXPECT_TRUE(
      kConflictWarning.starts_with("Source has changes but target has manual modifications"));
  EXPECT_FALSE(kKeepWarning.starts_with("Source has changes"));
  EXPECT_TRUE(kHoldWarning.starts_with("Source property was removed"));
}

}  // namespace
}  // namespace sm::sync
