#include "core/api/shape.h"

#include <algorithm>
#include <cstdlib>

#include "core/base/check.h"
#include "core/base/limits.h"
#include "core/base/time.h"
#include "core/json/canonical.h"
#include "core/json/cursor.h"
#include "core/json/pointer.h"

namespace sm::api {
namespace {

std::string check_name(std::string_view value) {
  if (json::type_of(value) != json::ValueType::string) return "must be a string";
  std::string text = json::unquote(value);
  size_t characters = count_characters(text);
  if (characters < 1 || characters > kMaxNameCharacters) return "must have 1 to 255 characters";
  if (text.find('\0') != std::string::npos) return "must not contain U+0000";
  return {};
}

// Whether somebody could guess a key: an estimate that random keys of any alphabet pass, and
// sequences and repetitions do not. A character counts unless it is that of before, or beside it in
// ASCII (aaa, abc, 321), or ends three characters that have stood there before. Each that counts is
// taken for as many bits as tell the key's different characters from each other.
bool has_few_bits(std::string_view key) {
  constexpr size_t kRepeated = 3;
  size_t counted = 0;
  size_t different = 0;
  for (size_t i = 0; i < key.size(); ++i) {
    if (key.find(key[i]) == i) ++different;
    bool near = i > 0 && std::abs(key[i] - key[i - 1]) <= 1;
    bool again = i + 1 > kRepeated && key.substr(0, i).find(key.substr(
                                          i + 1 - kRepeated, kRepeated)) != std::string_view::npos;
    if (!near && !again) ++counted;
  }
  size_t bits = 0;
  while (size_t{1} << bits < different) ++bits;
  return counted * bits < kMinKeyBits;
}

std::string check_key(std::string_view value) {
  constexpr const char* kRule =
      "must be 32 to 128 characters of [A-Za-z0-9._~-] that do not begin with sm_";
  if (json::type_of(value) != json::ValueType::string) return kRule;
  std::string key = json::unquote(value);
  bool fits = key.size() >= kMinKeyCharacters && key.size() <= kMaxKeyCharacters &&
              key.substr(0, 3) != "sm_" && std::all_of(key.begin(), key.end(), [](char c) {
                return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                       c == '.' || c == '_' || c == '~' || c == '-';
              });
  if (!fits) return kRule;
  return has_few_bits(key) ? "must be less easy to guess: take 32 random characters, or more"
                           : std::string();
}

std::string check_time(std::string_view value) {
  bool is_time =
      json::type_of(value) == json::ValueType::string && parse_time(json::unquote(value));
  return is_time ? std::string() : std::string(kTimeRule);
}

std::string check_choice(Choices choices, std::string_view value) {
  bool known = json::type_of(value) == json::ValueType::string &&
               std::find(choices.begin(), choices.end(), json::unquote(value)) != choices.end();
  return known ? std::string() : one_of(choices);
}

// What is wrong with a value, nothing where it fits.
std::string check_value(const RequestField& field, std::string_view value) {
  switch (field.kind) {
    case RequestField::Kind::name:
      return check_name(value);
    case RequestField::Kind::key:
      return check_key(value);
    case RequestField::Kind::time:
      return check_time(value);
    case RequestField::Kind::choice:
      return check_choice(field.choices, value);
    case RequestField::Kind::object:
    case RequestField::Kind::source_config:
    case RequestField::Kind::target_config:
      return json::type_of(value) == json::ValueType::object ? "" : "must be an object";
    case RequestField::Kind::items:
      return json::type_of(value) == json::ValueType::array ? "" : "must be a list";
  }
  return {};
}

void refuse(FieldErrors& errors, std::string pointer, std::string detail) {
  errors.add({FieldError::In::body, std::move(pointer), std::move(detail)});
}

void refuse_unknown(FieldErrors& errors, std::string_view name) {
  std::string pointer;
  if (name.size() <= json::kMaxFaultPointerBytes) json::append_token(pointer, name);
  refuse(errors, pointer,
         pointer.empty() ? "has a member that cannot be given here, with a name beyond 1 KiB"
                         : "is not a member that can be given here");
}

}  // namespace

const std::optional<std::string>& Members::json(std::string_view name) const {
  for (size_t i = 0; i < fields_.size(); ++i) {
    if (fields_[i].name == name) return values_[i];
  }
  SM_CHECK(false);
  return values_[0];
}

std::string Members::text(std::string_view name) const {
  const std::optional<std::string>& value = json(name);
  SM_CHECK(value.has_value());
  return json::unquote(*value);
}

Result<Members> check_shape(const RequestShape& shape, std::string_view canonical) {
  if (json::type_of(canonical) != json::ValueType::object) {
    return invalid_field("", "must be a JSON object");
  }
  std::vector<std::optional<std::string>> values(shape.fields.size());
  FieldErrors errors;
  for (json::MemberCursor member(canonical); member.next();) {
    std::string name = json::unquote(member.key());
    auto field = std::find_if(shape.fields.begin(), shape.fields.end(),
                              [&](const RequestField& known) { return known.name == name; });
    if (field == shape.fields.end()) {
      refuse_unknown(errors, name);
      continue;
    }
    bool is_null = json::type_of(member.value()) == json::ValueType::null;
    std::string detail = is_null && field->need == RequestField::Need::nullable
                             ? std::string()
                             : check_value(*field, member.value());
    if (!detail.empty()) refuse(errors, "/" + name, std::move(detail));
    values[static_cast<size_t>(field - shape.fields.begin())] = member.value();
  }
  for (size_t i = 0; i < values.size(); ++i) {
    if (values[i] || shape.fields[i].need != RequestField::Need::required) continue;
    refuse(errors, "/" + std::string(shape.fields[i].name), "is required");
  }
  if (!errors.empty()) return invalid_body(std::move(errors));
  return Members(shape, std::move(values));
}

size_t count_characters(std::string_view utf8) {
  return static_cast<size_t>(std::count_if(utf8.begin(), utf8.end(), [](char byte) {
    return (static_cast<uint8_t>(byte) & 0xC0) != 0x80;
  }));
}

}  // namespace sm::api
