// Times are milliseconds since 1970 UTC, and RFC 3339 texts with milliseconds at the edge and in
// the store. The clock is an input: each frame from the host carries the time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sm {

struct Time {
  int64_t ms = 0;
  friend Time operator-(Time time, int64_t duration_ms) { return {time.ms - duration_ms}; }
  friend Time operator+(Time time, int64_t duration_ms) { return {time.ms + duration_ms}; }
  friend bool operator<(Time a, Time b) { return a.ms < b.ms; }
};

inline constexpr int64_t kDayMs = 24 * 60 * 60 * 1000;

// "2026-01-15T10:30:00.000Z". A year has four digits: times before year 0 are shown as its first
// millisecond, times after year 9999 as its last one.
std::string to_text(Time time);

// Any RFC 3339 date-time of the years 0000 to 9999: with an offset, fractions of any length, and
// letters of either case. What lies between two milliseconds is the later one, so that "not before"
// stays true. Second 60, which only the end of a month (UTC) can have, is the first of the next
// minute. An offset can lead out of these years.
std::optional<Time> parse_time(std::string_view text);
// What is said of a text that is none.
inline constexpr std::string_view kTimeRule =
    "must be an RFC 3339 time such as 2026-01-15T10:30:00Z";

// The first moment after `time` at which a day (UTC) is `ms_of_day` old.
Time next_daily(Time time, int64_t ms_of_day);

}  // namespace sm
