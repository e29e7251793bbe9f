#include "core/sync/config.h"

#include <algorithm>
#include <array>
#include <cstdlib>

#include "core/http/public_url.h"
#include "core/json/cursor.h"
#include "core/json/pointer.h"
#include "core/json/rewrite.h"

namespace sm::sync {
namespace {

constexpr std::array<std::string_view, 5> kSecretNames = {"api_key", "password", "connection",
                                                          "token", "secret"};

bool is_secret(const json::RewriteMember& member) {
  if (member.pointer.find("/headers/") != std::string_view::npos) return true;
  bool is_null = json::type_of(member.value) == json::ValueType::null;
  if (is_null) return false;
  // Headers that are no object have no names to hide the values behind: they are one secret.
  if (member.key == "headers") return json::type_of(member.value) != json::ValueType::object;
  return std::find(kSecretNames.begin(), kSecretNames.end(), member.key) != kSecretNames.end();
}

class Checker {
 public:
  explicit Checker(std::string_view config) : config_(config) {}

  std::optional<std::string_view> member(std::string_view name) const {
    return json::find_member(config_, name);
  }
  void refuse(std::string_view name, std::string detail) {
    errors_.push_back({FieldError::In::body, "/config/" + std::string(name), std::move(detail)});
  }

  void check_pointer(std::string_view name) {
    auto value = member(name);
    if (value && !is_pointer(*value)) refuse(name, "must be a JSON Pointer such as /meta/id");
  }

  void check_ratio(std::string_view name) {
    auto value = member(name);
    if (!value) return;
    bool fits = json::type_of(*value) == json::ValueType::number;
    double ratio = fits ? std::strtod(std::string(*value).c_str(), nullptr) : 0;
    if (!fits || ratio < 0 || ratio > 1) refuse(name, "must be a number from 0 to 1");
  }

  void check_choice(std::string_view name, std::initializer_list<std::string_view> choices) {
    auto value = member(name);
    if (!value) return;
    bool known = json::type_of(*value) == json::ValueType::string &&
                 std::find(choices.begin(), choices.end(), json::unquote(*value)) != choices.end();
    if (known) return;
    std::string detail = "must be one of";
    for (std::string_view choice : choices) {
      detail += choice == *choices.begin() ? " " : ", ";
      detail += choice;
    }
    refuse(name, std::move(detail));
  }

  void check_url(std::string_view name, Addresses addresses) {
    auto value = member(name);
    if (!value) return;
    if (json::type_of(*value) != json::ValueType::string) return refuse(name, "must be a URL");
    auto problem = http::url_problem(json::unquote(*value), addresses == Addresses::any
                                                                ? http::PrivateAddresses::allowed
                                                                : http::PrivateAddresses::refused);
    if (problem) refuse(name, std::move(*problem));
  }

  std::vector<FieldError> errors() && { return std::move(errors_); }

 private:
  static bool is_pointer(std::string_view value) {
    return json::type_of(value) == json::ValueType::string &&
           json::parse_pointer(json::unquote(value)).has_value();
  }

  std::string_view config_;
  std::vector<FieldError> errors_;
};

}  // namespace

std::vector<FieldError> check_config(Side side, std::string_view config, Addresses addresses) {
  Checker checker(config);
  checker.check_url("url", addresses);
  if (side == Side::source) {
    checker.check_pointer("id_field");
    checker.check_ratio("max_removed_ratio");
  } else {
    checker.check_choice("conflict_policy", {"skip", "source_wins"});
    checker.check_choice("on_removed", {"keep", "delete"});
  }
  return std::move(checker).errors();
}

SplitConfig split_secrets(std::string_view config) {
  SplitConfig split;
  split.masked = json::rewrite(config, [&](const json::RewriteMember& member) {
    if (!is_secret(member)) return json::Rewrite::descend();
    if (member.value == kMask) {
      split.kept.insert(std::string(member.pointer));
    } else {
      split.secrets.push_back({std::string(member.pointer), std::string(member.value)});
    }
    return json::Rewrite::replace(std::string(kMask));
  });
  return split;
}

}  // namespace sm::sync
