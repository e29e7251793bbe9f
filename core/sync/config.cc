#include "core/sync/config.h"

#include <algorithm>
#include <cstdlib>
#include <string>

#include "core/base/choices.h"
#include "core/base/limits.h"
#include "core/http/public_url.h"
#include "core/json/cursor.h"

namespace sm::sync {
namespace {

using Kind = ConfigMember::Kind;

// In the order of the enums of the same names.
constexpr std::string_view kPolicies[] = {"skip", "source_wins"};
constexpr std::string_view kRemovals[] = {"keep", "delete"};

constexpr ConfigMember kUrl{
    "url", Kind::url,
    "Where the outside system is: an absolute http or https URL to a public address."};
constexpr ConfigMember kIdField{
    "id_field", Kind::pointer,
    "JSON Pointer to what identifies an item, as /ListingKey or /meta/id. Where it is not set, and "
    "for items that have nothing there, external_id counts, else id."};
constexpr ConfigMember kMaxRemovedRatio{
    "max_removed_ratio", Kind::ratio,
    "The share of live properties that one mode=full import may remove. Where it is not set, half "
    "of ten and more, and any of fewer, but not all by an empty list."};
constexpr ConfigMember kConflictPolicy{
    "conflict_policy", Kind::choice,
    "What a sync does with a row that was edited by hand: skip leaves it, with a warning; "
    "source_wins overwrites it.",
    kPolicies};
constexpr ConfigMember kOnRemoved{"on_removed", Kind::choice,
                                  "What a sync does with the row of a property that its source "
                                  "removed: keep marks it as removed; "
                                  "delete hides it.",
                                  kRemovals};

constexpr ConfigMember kSourceMembers[] = {kUrl, kIdField, kMaxRemovedRatio};
constexpr ConfigMember kTargetMembers[] = {kUrl, kConflictPolicy, kOnRemoved};

std::optional<json::PointerTokens> read_pointer(std::string_view value) {
  if (json::type_of(value) != json::ValueType::string) return std::nullopt;
  std::string pointer = json::unquote(value);
  if (pointer.size() > kMaxPointerBytes) return std::nullopt;
  return json::parse_pointer(pointer);
}

std::optional<double> read_ratio(std::string_view value) {
  if (json::type_of(value) != json::ValueType::number) return std::nullopt;
  double ratio = std::strtod(std::string(value).c_str(), nullptr);
  if (ratio < 0 || ratio > 1) return std::nullopt;
  return ratio;
}

std::optional<size_t> read_choice(const ConfigMember& member, std::string_view value) {
  if (json::type_of(value) != json::ValueType::string) return std::nullopt;
  auto choice = std::find(member.choices.begin(), member.choices.end(), json::unquote(value));
  if (choice == member.choices.end()) return std::nullopt;
  return static_cast<size_t>(choice - member.choices.begin());
}

std::optional<std::string> url_problem(std::string_view value, Addresses addresses) {
  if (json::type_of(value) != json::ValueType::string) return "must be a URL";
  return http::url_problem(json::unquote(value), addresses == Addresses::any
                                                     ? http::PrivateAddresses::allowed
                                                     : http::PrivateAddresses::refused);
}

// Nothing where the value fits.
std::optional<std::string> problem_of(const ConfigMember& member, std::string_view value,
                                      Addresses addresses) {
  switch (member.kind) {
    case Kind::url:
      return url_problem(value, addresses);
    case Kind::pointer:
      if (read_pointer(value)) return std::nullopt;
      return "must be a JSON Pointer such as /meta/id, of at most " +
             std::to_string(kMaxPointerBytes) + " bytes";
    case Kind::ratio:
      if (read_ratio(value)) return std::nullopt;
      return "must be a number from 0 to 1";
    case Kind::choice:
      if (read_choice(member, value)) return std::nullopt;
      return one_of(member.choices);
  }
  return std::nullopt;
}

template <typename T>
T choice_in(std::string_view config, const ConfigMember& member) {
  auto value = json::find_member(config, member.name);
  return static_cast<T>(value ? read_choice(member, *value).value_or(0) : 0);
}

}  // namespace

std::span<const ConfigMember> config_members(Connector connector) {
  if (connector == Connector::source) return kSourceMembers;
  return kTargetMembers;
}

FieldErrors check_config(Connector connector, std::string_view config, Addresses addresses) {
  FieldErrors errors;
  for (const ConfigMember& member : config_members(connector)) {
    auto value = json::find_member(config, member.name);
    if (!value) continue;
    auto problem = problem_of(member, *value, addresses);
    if (!problem) continue;
    errors.add({FieldError::In::body, "/config/" + std::string(member.name), std::move(*problem)});
  }
  return errors;
}

SourceConfig source_config(std::string_view config) {
  SourceConfig typed;
  if (auto value = json::find_member(config, kIdField.name)) typed.id_field = read_pointer(*value);
  if (auto value = json::find_member(config, kMaxRemovedRatio.name)) {
    typed.max_removed_ratio = read_ratio(*value);
  }
  return typed;
}

TargetConfig target_config(std::string_view config) {
  return {choice_in<ConflictPolicy>(config, kConflictPolicy),
          choice_in<OnRemoved>(config, kOnRemoved)};
}

std::string_view policy_name(ConflictPolicy policy) {
  return kPolicies[static_cast<size_t>(policy)];
}

}  // namespace sm::sync
