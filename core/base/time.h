// Times are milliseconds since 1970 UTC, and RFC 3339 texts with milliseconds at the edge and in
// the store. The clock is an input: each frame from the host carries the time.
#pragma once

#include <cstdint>
#include <string>

namespace sm {

struct Time {
  int64_t ms = 0;
  friend Time operator-(Time time, int64_t duration_ms) { return {time.ms - duration_ms}; }
};

inline constexpr int64_t kDayMs = 24 * 60 * 60 * 1000;

// "2026-01-15T10:30:00.000Z". Times before year 0 are shown as year 0.
std::string to_text(Time time);

}  // namespace sm
