#include "tests/simulation/value.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <vector>

#include "tests/simulation/sha256.h"

namespace simulation {
namespace {

std::vector<uint32_t> utf16_units(std::string_view text) {
  std::vector<uint32_t> units;
  for (size_t at = 0; at < text.size();) {
    auto byte = [&](size_t i) { return static_cast<uint32_t>(static_cast<uint8_t>(text[at + i])); };
    uint32_t first = byte(0);
    if (first < 0x80) {
      units.push_back(first);
      at += 1;
    } else if (first < 0xE0) {
      units.push_back((first & 0x1F) << 6 | (byte(1) & 0x3F));
      at += 2;
    } else if (first < 0xF0) {
      units.push_back((first & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F));
      at += 3;
    } else {
      uint32_t code =
          (first & 0x07) << 18 | (byte(1) & 0x3F) << 12 | (byte(2) & 0x3F) << 6 | (byte(3) & 0x3F);
      units.push_back(0xD800 + ((code - 0x10000) >> 10));
      units.push_back(0xDC00 + ((code - 0x10000) & 0x3FF));
      at += 4;
    }
  }
  return units;
}

void append_string(std::string& out, std::string_view text) {
  out += '"';
  for (char c : text) {
    auto code = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (code >= 0x20) {
      out += c;
    } else if (size_t at = std::string_view("\b\t\n\f\r").find(c); at != std::string_view::npos) {
      out += '\\';
      out += "btnfr"[at];
    } else {
      char escape[7];
      std::snprintf(escape, sizeof escape, "\\u%04x", code);
      out += escape;
    }
  }
  out += '"';
}

// ECMAScript's Number::toString from the shortest digits that give the number back.
void append_double(std::string& out, double number) {
  if (number == 0) {
    out += '0';
    return;
  }
  char buffer[40];
  auto end = std::to_chars(buffer, buffer + sizeof buffer, number, std::chars_format::scientific);
  std::string text(buffer, end.ptr);
  if (text[0] == '-') {
    out += '-';
    text.erase(0, 1);
  }
  size_t e = text.find('e');
  int exponent = std::atoi(text.c_str() + e + 1);
  std::string digits = text.substr(0, e);
  digits.erase(std::remove(digits.begin(), digits.end(), '.'), digits.end());
  int count = static_cast<int>(digits.size());
  int point = exponent + 1;
  if (count <= point && point <= 21) {
    out += digits + std::string(static_cast<size_t>(point - count), '0');
  } else if (0 < point && point <= 21) {
    out += digits.substr(0, static_cast<size_t>(point)) + "." +
           digits.substr(static_cast<size_t>(point));
  } else if (-6 < point && point <= 0) {
    out += "0." + std::string(static_cast<size_t>(-point), '0') + digits;
  } else {
    out += digits.substr(0, 1) + (count > 1 ? "." + digits.substr(1) : "") + "e" +
           (point > 0 ? "+" : "-") + std::to_string(std::abs(point - 1));
  }
}

void append(std::string& out, const Json& value) {
  if (value.is_object()) {
    std::vector<const std::string*> names;
    for (auto member = value.begin(); member != value.end(); ++member) {
      names.push_back(&member.key());
    }
    std::sort(names.begin(), names.end(), [](const std::string* a, const std::string* b) {
      return utf16_units(*a) < utf16_units(*b);
    });
    out += '{';
    for (const std::string* name : names) {
      if (name != names.front()) out += ',';
      append_string(out, *name);
      out += ':';
      append(out, value.at(*name));
    }
    out += '}';
  } else if (value.is_array()) {
    out += '[';
    for (size_t i = 0; i < value.size(); ++i) {
      if (i > 0) out += ',';
      append(out, value[i]);
    }
    out += ']';
  } else if (value.is_string()) {
    append_string(out, value.get_ref<const std::string&>());
  } else if (value.is_number_float()) {
    append_double(out, value.get<double>());
  } else {
    out += value.dump();
  }
}

}  // namespace

std::string canonical(const Json& value) {
  std::string out;
  append(out, value);
  return out;
}

Json merge_patch(Json target, const Json& patch) {
  if (!patch.is_object()) return patch;
  if (!target.is_object()) target = Json::object();
  for (auto member = patch.begin(); member != patch.end(); ++member) {
    if (member->is_null()) {
      target.erase(member.key());
    } else {
      auto old = target.find(member.key());
      target[member.key()] = merge_patch(old == target.end() ? Json() : *old, *member);
    }
  }
  return target;
}

Data DataPool::intern(const Json& value) {
  std::string text = canonical(value);
  auto known = data_.find(text);
  if (known == data_.end()) {
    Datum datum{text, sha256_hex(text), value};
    known = data_.emplace(std::move(text), std::move(datum)).first;
  }
  return &known->second;
}

std::string time_text(Moment moment) {
  int64_t days = moment / kDay;
  int64_t rest = moment % kDay;
  // Days since 0000-03-01, in eras of 400 years.
  int64_t z = days + 719468;
  int64_t era = z / 146097;
  int64_t day_of_era = z - era * 146097;
  int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  int64_t month = (5 * day_of_year + 2) / 153;
  int64_t day = day_of_year - (153 * month + 2) / 5 + 1;
  month = month < 10 ? month + 3 : month - 9;
  int64_t year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);
  char text[40];
  std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", static_cast<int>(year),
                static_cast<int>(month), static_cast<int>(day), static_cast<int>(rest / 3'600'000),
                static_cast<int>(rest / 60'000 % 60), static_cast<int>(rest / 1000 % 60),
                static_cast<int>(rest % 1000));
  return text;
}

Moment parse_moment(std::string_view text) {
  constexpr std::string_view kShape = "0000-00-00T00:00:00.000Z";
  if (text.size() != kShape.size()) return 0;
  auto number = [&](size_t at, size_t length) {
    int64_t value = 0;
    for (char digit : text.substr(at, length)) value = value * 10 + (digit - '0');
    return value;
  };
  int64_t month = number(5, 2);
  int64_t year = number(0, 4) - (month <= 2 ? 1 : 0);
  int64_t era = year / 400;
  int64_t year_of_era = year - era * 400;
  int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + number(8, 2) - 1;
  int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  int64_t days = era * 146097 + day_of_era - 719468;
  return days * kDay + number(11, 2) * 3'600'000 + number(14, 2) * 60'000 + number(17, 2) * 1000 +
         number(20, 3);
}

}  // namespace simulation
