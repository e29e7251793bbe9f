#include "core/base/time.h"

#include <algorithm>
#include <cstdio>

namespace sm {
namespace {

// Days from 0000-01-01 (proleptic Gregorian) to 1970-01-01.
constexpr int64_t kDaysToEpoch = 719'528;

struct Date {
  int64_t year;
  int month;
  int day;
};

// Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms": civil_from_days.
Date date_of(int64_t days_since_epoch) {
  int64_t z = days_since_epoch + 719'468;
  int64_t era = (z >= 0 ? z : z - 146'096) / 146'097;
  int64_t day_of_era = z - era * 146'097;
  int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  int64_t shifted_month = (5 * day_of_year + 2) / 153;
  int day = static_cast<int>(day_of_year - (153 * shifted_month + 2) / 5 + 1);
  int month = static_cast<int>(shifted_month < 10 ? shifted_month + 3 : shifted_month - 9);
  return {year_of_era + era * 400 + (month <= 2 ? 1 : 0), month, day};
}

}  // namespace

std::string to_text(Time time) {
  int64_t ms = std::max(time.ms, -kDaysToEpoch * kDayMs);
  int64_t days = ms >= 0 ? ms / kDayMs : (ms - kDayMs + 1) / kDayMs;
  int rest = static_cast<int>(ms - days * kDayMs);
  Date date = date_of(days);
  char text[40];
  std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
                static_cast<int>(std::min<int64_t>(date.year, 9999)), date.month, date.day,
                rest / 3'600'000, rest / 60'000 % 60, rest / 1000 % 60, rest % 1000);
  return text;
}

}  // namespace sm
