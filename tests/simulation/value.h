// Values of the simulation: JSON with a canonical form of its own (RFC 8785), so that what the core
// stores is checked against another implementation; and moments in time.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace simulation {

using Json = nlohmann::json;

// RFC 8785, with integers of any size kept digit for digit.
std::string canonical(const Json& value);

// RFC 7396.
Json merge_patch(Json target, const Json& patch);

// Data of one property, once for each different text.
struct Datum {
  std::string text;  // canonical
  std::string hash;
  Json value;
};
using Data = const Datum*;

// Owns the data of a history: equal data is one datum.
class DataPool {
 public:
  Data intern(const Json& value);

 private:
  std::map<std::string, Datum, std::less<>> data_;
};

// Milliseconds since 1970; 0 stands for null.
using Moment = int64_t;

std::string time_text(Moment moment);
// 0 for what is no RFC 3339 time in UTC with milliseconds.
Moment parse_moment(std::string_view text);

inline constexpr Moment kDay = 86'400'000;

}  // namespace simulation
