#include "core/base/time.h"

#include <gtest/gtest.h>

#include <cstdio>

namespace sm {
namespace {

TEST(Time, LeapDaysFollowTheGregorianCalendar) {
  struct {
    int64_t ms;
    const char* text;
  } const kTimes[] = {
      {-2203977600000, "1900-02-28T00:00:00.000Z"}, {-2203891200000, "1900-03-01T00:00:00.000Z"},
      {1709164800000, "2024-02-29T00:00:00.000Z"},  {1709251200000, "2024-03-01T00:00:00.000Z"},
      {4107456000000, "2100-02-28T00:00:00.000Z"},  {4107542400000, "2100-03-01T00:00:00.000Z"},
      {13574563200000, "2400-02-29T00:00:00.000Z"}, {1735689599999, "2024-12-31T23:59:59.999Z"},
  };
  for (const auto& [ms, text] : kTimes) EXPECT_EQ(to_text(Time{ms}), text) << ms;
}

TEST(Time, HasFourDigitsOfYearFrom0To9999) {
  EXPECT_EQ(to_text(Time{-62167219200000}), "0000-01-01T00:00:00.000Z");
  EXPECT_EQ(to_text(Time{-62167219200001}), "0000-01-01T00:00:00.000Z") << "nothing before it";
  EXPECT_EQ(to_text(Time{-62167219199999}), "0000-01-01T00:00:00.001Z");
  EXPECT_EQ(to_text(Time{-62135596800001}), "0000-12-31T23:59:59.999Z");
  EXPECT_EQ(to_text(Time{-62135596800000}), "0001-01-01T00:00:00.000Z");
  EXPECT_EQ(to_text(Time{253402300799999}), "9999-12-31T23:59:59.999Z");
  EXPECT_EQ(to_text(Time{INT64_MIN}), "0000-01-01T00:00:00.000Z");
}

TEST(Time, BeyondYear9999IsItsLastMillisecond) {
  for (int64_t ms : {int64_t{253402300800000}, int64_t{253402300800001}, INT64_MAX}) {
    EXPECT_EQ(to_text(Time{ms}), "9999-12-31T23:59:59.999Z") << ms;
  }
}

// What a text means, as it is shown again; "none" where it is no time.
std::string reread(std::string_view text) {
  auto time = parse_time(text);
  return time ? to_text(*time) : "none";
}

TEST(Time, AnOffsetLeadsToAnotherYearAndNeverToAnotherCentury) {
  struct {
    const char* text;
    const char* shown;
  } const kTimes[] = {
      {"2025-12-31T23:30:00-01:00", "2026-01-01T00:30:00.000Z"},
      {"2026-01-01T00:30:00+01:00", "2025-12-31T23:30:00.000Z"},
      {"0000-01-01T00:00:00Z", "0000-01-01T00:00:00.000Z"},
      {"0000-01-01T00:00:00+00:01", "0000-01-01T00:00:00.000Z"},
      {"0000-01-01T00:00:00-00:01", "0000-01-01T00:01:00.000Z"},
      {"0000-02-29T00:00:00Z", "0000-02-29T00:00:00.000Z"},
      {"9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"},
      {"9999-12-31T23:59:59.9991Z", "9999-12-31T23:59:59.999Z"},
      {"9999-12-31T23:59:60Z", "9999-12-31T23:59:59.999Z"},
      {"9999-12-31T23:59:60.5Z", "9999-12-31T23:59:59.999Z"},
      {"9999-12-31T23:59:00-00:01", "9999-12-31T23:59:59.999Z"},
      {"9999-12-31T23:59:59-23:59", "9999-12-31T23:59:59.999Z"},
      {"9999-12-31T23:59:59+23:59", "9999-12-31T00:00:59.000Z"},
  };
  for (const auto& [text, shown] : kTimes) EXPECT_EQ(reread(text), shown) << text;
}

TEST(Time, ALeapSecondStandsAtTheEndOfAMonthAlone) {
  struct {
    const char* text;
    const char* shown;
  } const kTimes[] = {
      {"1990-12-31T23:59:60Z", "1991-01-01T00:00:00.000Z"},
      {"1990-12-31T15:59:60-08:00", "1991-01-01T00:00:00.000Z"},
      {"2015-07-01T01:59:60.25+02:00", "2015-07-01T00:00:00.250Z"},
      {"0000-12-31T23:59:60Z", "0001-01-01T00:00:00.000Z"},
      {"2024-02-29T23:59:60Z", "2024-03-01T00:00:00.000Z"},
      {"2024-02-28T23:59:60Z", "none"},
      {"1990-12-31T22:59:60Z", "none"},
      {"1990-12-31T23:58:60Z", "none"},
      {"1990-12-31T23:59:60+01:00", "none"},
      {"1990-12-31T23:59:61Z", "none"},
      {"1991-01-01T00:00:60Z", "none"},
  };
  for (const auto& [text, shown] : kTimes) EXPECT_EQ(reread(text), shown) << text;
}

bool is_leap(int year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

TEST(Time, EveryMonthOfTenThousandYearsBeginsAndEndsAsCounted) {
  constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  int64_t ms = -62167219200000;
  for (int year = 0; year <= 9999; ++year) {
    for (int month = 1; month <= 12; ++month) {
      char text[32];
      std::snprintf(text, sizeof text, "%04d-%02d-01T00:00:00.000Z", year, month);
      ASSERT_EQ(to_text(Time{ms}), text);
      int days = kDays[month - 1] + (month == 2 && is_leap(year) ? 1 : 0);
      ms += days * kDayMs;
      std::snprintf(text, sizeof text, "%04d-%02d-%02dT23:59:59.999Z", year, month, days);
      ASSERT_EQ(to_text(Time{ms - 1}), text);
    }
  }
}

TEST(Time, ADurationIsTakenOff) {
  EXPECT_EQ(to_text(Time{1709251200000} - kDayMs), "2024-02-29T00:00:00.000Z");
}

}  // namespace
}  // namespace sm
