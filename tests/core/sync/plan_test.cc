#include "core/sync/plan.h"

#include <gtest/gtest.h>

namespace sm::sync {
namespace {

TEST(Plan, EachClassCountsWhereTheTableOfTheApiSays) {
  struct {
    Class of;
    int64_t created, updated, warnings, conflicts;
  } const kRows[] = {
      {Class::create, 1, 0, 0, 0},   {Class::contest, 0, 0, 1, 0}, {Class::agree, 0, 0, 0, 0},
      {Class::update, 0, 1, 0, 0},   {Class::accept, 0, 0, 0, 0},  {Class::keep, 0, 0, 1, 0},
      {Class::conflict, 0, 0, 1, 1},
  };
  static_assert(std::size(kRows) == kClasses);
  for (const auto& row : kRows) {
    Plan plan;
    plan[row.of] = {10, 0};
    Stats stats = plan.stats(100);
    EXPECT_EQ(stats.created, row.created * 10) << class_name(row.of);
    EXPECT_EQ(stats.updated, row.updated * 10) << class_name(row.of);
    EXPECT_EQ(stats.warnings, row.warnings * 10) << class_name(row.of);
    EXPECT_EQ(stats.conflicts, row.conflicts * 10) << class_name(row.of);
    EXPECT_EQ(stats.created + stats.updated + stats.skipped + stats.warnings, 100);
  }
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

TEST(Plan, StatsAreJsonInTheOrderOfTheApi) {
  Stats stats{1, 2, 3, 4, 5};
  EXPECT_EQ(stats.json(),
            R"({"created":1,"updated":2,"skipped":3,"warnings":4,"conflicts":5,"removed":0})");
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
}

}  // namespace
}  // namespace sm::sync
