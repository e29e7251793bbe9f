#include "core/api/parameter.h"

#include <algorithm>

#include "core/base/check.h"
#include "core/base/limits.h"
#include "core/http/request.h"
#include "core/http/utf8.h"

namespace sm::api {
namespace {

// Enough for every range, and too few to overflow.
constexpr size_t kMaxDigits = 15;

std::optional<int64_t> to_integer(std::string_view text) {
  if (text.empty() || text.size() > kMaxDigits) return std::nullopt;
  int64_t number = 0;
  for (char digit : text) {
    if (digit < '0' || digit > '9') return std::nullopt;
    number = number * 10 + (digit - '0');
  }
  return number;
}

// A `+` in a query stands for a blank, so the offset of a time that was not percent-encoded comes
// as " 02:00". No time has a blank there.
std::optional<Time> to_time(std::string text) {
  constexpr size_t kOffsetCharacters = 6;
  if (text.size() > kOffsetCharacters && text[text.size() - kOffsetCharacters] == ' ') {
    text[text.size() - kOffsetCharacters] = '+';
  }
  return parse_time(text);
}

// The value of the parameter's kind, nothing where the text is none.
std::optional<Arguments::Value> parse_value(const Parameter& parameter, const std::string& text) {
  auto within = [&](int64_t number) { return number >= parameter.low && number <= parameter.high; };
  switch (parameter.kind) {
    case Parameter::Kind::integer:
      if (auto number = to_integer(text); number && within(*number)) return *number;
      return std::nullopt;
    case Parameter::Kind::boolean:
      if (text == "true" || text == "false") return text == "true";
      return std::nullopt;
    case Parameter::Kind::choice:
      if (std::find(parameter.choices.begin(), parameter.choices.end(), text) !=
          parameter.choices.end()) {
        return text;
      }
      return std::nullopt;
    case Parameter::Kind::time:
      if (auto time = to_time(text)) return *time;
      return std::nullopt;
    case Parameter::Kind::text:
      if (within(static_cast<int64_t>(text.size())) && text.find('\0') == std::string::npos &&
          http::is_utf8(text)) {
        return text;
      }
      return std::nullopt;
    case Parameter::Kind::cursor:
      return text;
  }
  return std::nullopt;
}

// What a value of the parameter must be.
std::string expectation(const Parameter& parameter) {
  std::string range = std::to_string(parameter.low) + " to " + std::to_string(parameter.high);
  switch (parameter.kind) {
    case Parameter::Kind::integer:
      return "must be a whole number from " + range;
    case Parameter::Kind::boolean:
      return "must be true or false";
    case Parameter::Kind::choice:
      return one_of(parameter.choices);
    case Parameter::Kind::time:
      return std::string(kTimeRule);
    case Parameter::Kind::text:
      return "must have " + range + " bytes of UTF-8, and no U+0000";
    case Parameter::Kind::cursor:
      return "must be a cursor of a Link header";
  }
  return {};
}

}  // namespace

const Arguments::Value* Arguments::find(std::string_view name) const {
  SM_CHECK(std::any_of(known_.begin(), known_.end(),
                       [&](const Parameter& parameter) { return parameter.name == name; }));
  auto found = values_.find(name);
  return found == values_.end() ? nullptr : &found->second;
}

template <typename T>
std::optional<T> Arguments::get(std::string_view name) const {
  const Value* value = find(name);
  if (value == nullptr) return std::nullopt;
  const T* typed = std::get_if<T>(value);
  SM_CHECK(typed != nullptr);
  return *typed;
}

std::optional<int64_t> Arguments::integer(std::string_view name) const {
  return get<int64_t>(name);
}
std::optional<bool> Arguments::boolean(std::string_view name) const { return get<bool>(name); }
std::optional<Time> Arguments::time(std::string_view name) const { return get<Time>(name); }
std::optional<std::string> Arguments::text(std::string_view name) const {
  return get<std::string>(name);
}

Result<Arguments> read_arguments(std::span<const Parameter> known, std::string_view raw_query) {
  if (raw_query.size() > kMaxQueryBytes) {
    return Error{ErrorCode::invalid,
                 "The query takes at most " + std::to_string(kMaxQueryBytes) + " bytes."};
  }
  Arguments arguments(known);
  FieldErrors errors;
  for (auto& given : http::parse_query(raw_query)) {
    auto& [name, text] = given;
    auto parameter = std::find_if(known.begin(), known.end(),
                                  [&](const Parameter& one) { return one.name == given.first; });
    std::string detail;
    if (parameter == known.end()) {
      detail = "is not a parameter of this path";
    } else if (auto value = parse_value(*parameter, text); !value) {
      detail = expectation(*parameter);
    } else if (!arguments.values_.emplace(name, std::move(*value)).second) {
      detail = "must be given once";
    }
    if (!detail.empty()) errors.add({FieldError::In::query, name, std::move(detail)});
  }
  if (!errors.empty()) return invalid_body(std::move(errors));
  return arguments;
}

}  // namespace sm::api
