#include "core/base/time.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace sm {
namespace {

// The first and the last millisecond whose year has four digits (proleptic Gregorian).
constexpr int64_t kFirstMs = -62'167'219'200'000;
constexpr int64_t kLastMs = 253'402'300'799'999;

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

// The same source: days_from_civil.
int64_t days_of(Date date) {
  int64_t year = date.year - (date.month <= 2 ? 1 : 0);
  int64_t era = (year >= 0 ? year : year - 399) / 400;
  int64_t year_of_era = year - era * 400;
  int64_t day_of_year = (153 * (date.month + (date.month > 2 ? -3 : 9)) + 2) / 5 + date.day - 1;
  int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146'097 + day_of_era - 719'468;
}

int days_in(int64_t year, int month) {
  constexpr std::array<int, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return month == 2 && leap ? 29 : kDays[static_cast<size_t>(month - 1)];
}

constexpr int64_t kMinuteMs = 60'000;

// Whether a month begins at this moment: leap seconds come right before it.
bool begins_a_month(int64_t ms) { return ms % kDayMs == 0 && date_of(ms / kDayMs).day == 1; }

// Reads a text from its beginning; what does not fit makes it fail for good.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  int64_t digits(size_t count) {
    int64_t number = 0;
    for (size_t i = 0; i < count; ++i) {
      bool digit = i < rest_.size() && rest_[i] >= '0' && rest_[i] <= '9';
      if (!digit) return fail();
      number = number * 10 + (rest_[i] - '0');
    }
    rest_.remove_prefix(count);
    return number;
  }
  // One of the characters, which is taken; 0 where the next one is another.
  char take(std::string_view characters) {
    if (rest_.empty() || characters.find(rest_[0]) == std::string_view::npos) return '\0';
    char taken = rest_[0];
    rest_.remove_prefix(1);
    return taken;
  }
  void expect(std::string_view characters) {
    if (take(characters) == '\0') fail();
  }
  // Milliseconds of a fraction, rounded up.
  int64_t fraction_ms() {
    int64_t ms = 0;
    int64_t scale = 100;
    bool more = false;
    size_t length = 0;
    for (; length < rest_.size() && rest_[length] >= '0' && rest_[length] <= '9'; ++length) {
      int digit = rest_[length] - '0';
      if (scale == 0 && digit != 0) more = true;
      ms += digit * scale;
      scale /= 10;
    }
    if (length == 0) return fail();
    rest_.remove_prefix(length);
    return ms + (more ? 1 : 0);
  }
  bool ended_well() const { return ok_ && rest_.empty(); }

 private:
  int64_t fail() {
    ok_ = false;
    rest_ = {};
    return 0;
  }

  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace

std::string to_text(Time time) {
  int64_t ms = std::clamp(time.ms, kFirstMs, kLastMs);
  int64_t days = ms >= 0 ? ms / kDayMs : (ms - kDayMs + 1) / kDayMs;
  int rest = static_cast<int>(ms - days * kDayMs);
  Date date = date_of(days);
  char text[40];
  std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
                static_cast<int>(date.year), date.month, date.day, rest / 3'600'000,
                rest / 60'000 % 60, rest / 1000 % 60, rest % 1000);
  return text;
}

std::optional<Time> parse_time(std::string_view text) {
  Scanner scan(text);
  int64_t year = scan.digits(4);
  scan.expect("-");
  auto month = static_cast<int>(scan.digits(2));
  scan.expect("-");
  auto day = static_cast<int>(scan.digits(2));
  scan.expect("Tt ");
  int64_t hour = scan.digits(2);
  scan.expect(":");
  int64_t minute = scan.digits(2);
  scan.expect(":");
  int64_t second = scan.digits(2);
  int64_t fraction = scan.take(".") ? scan.fraction_ms() : 0;
  int64_t offset_minutes = 0;
  if (char sign = scan.take("+-")) {
    int64_t hours = scan.digits(2);
    scan.expect(":");
    int64_t minutes = scan.digits(2);
    if (hours > 23 || minutes > 59) return std::nullopt;
    offset_minutes = (sign == '-' ? -1 : 1) * (hours * 60 + minutes);
  } else {
    scan.expect("Zz");
  }
  if (!scan.ended_well() || month < 1 || month > 12 || day < 1 || day > days_in(year, month) ||
      hour > 23 || minute > 59 || second > 60) {
    return std::nullopt;
  }
  int64_t minutes = hour * 60 + minute - offset_minutes;
  int64_t minute_ms = days_of({year, month, day}) * kDayMs + minutes * kMinuteMs;
  if (second == 60 && !begins_a_month(minute_ms + kMinuteMs)) return std::nullopt;
  return Time{minute_ms + second * 1000 + fraction};
}

Time next_daily(Time time, int64_t ms_of_day) {
  int64_t since = time.ms - ms_of_day;
  int64_t days = since >= 0 ? since / kDayMs : (since - kDayMs + 1) / kDayMs;
  return {(days + 1) * kDayMs + ms_of_day};
}

}  // namespace sm
