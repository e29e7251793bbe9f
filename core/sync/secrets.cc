#include "core/sync/secrets.h"

#include <algorithm>
#include <array>

#include "core/base/check.h"
#include "core/base/limits.h"
#include "core/json/cursor.h"
#include "core/json/pointer.h"
#include "core/json/rewrite.h"
#include "core/json/writer.h"

namespace sm::sync {
namespace {

constexpr std::array<std::string_view, 9> kEndings = {"apikey",     "password",    "passwd",
                                                      "connection", "token",       "secret",
                                                      "privatekey", "credentials", "authorization"};

// Where these change, what goes out goes elsewhere.
constexpr std::array<std::string_view, 3> kAddresses = {"url", "host", "connection"};

FieldError fault(std::string_view pointer, std::string detail) {
  return {FieldError::In::body, "/config" + std::string(pointer), std::move(detail)};
}

class Splitter {
 public:
  Result<SplitConfig> run(std::string_view config) {
    split_.masked = json::rewrite(
        config, [this](const json::RewriteMember& member) { return rewrite(member); });
    if (problem_) return invalid_body({std::move(*problem_)});
    return std::move(split_);
  }

 private:
  json::Rewrite rewrite(const json::RewriteMember& member) {
    if (problem_ || json::type_of(member.value) == json::ValueType::null) {
      return json::Rewrite::keep();
    }
    if (member.key == "headers" && json::type_of(member.value) == json::ValueType::object) {
      return json::Rewrite::replace(headers(member));
    }
    // Headers that are no object have no names to hide the values behind: they are one secret.
    if (member.key != "headers" && !is_secret_name(member.key)) return json::Rewrite::descend();
    take(member.pointer, member.value);
    return json::Rewrite::replace(std::string(kMask));
  }

  std::string headers(const json::RewriteMember& member) {
    std::string masked = "{";
    for (json::MemberCursor header(member.value); header.next() && !problem_;) {
      std::string pointer(member.pointer);
      json::append_token(pointer, json::unquote(header.key()));
      take(pointer, header.value());
      masked += masked.size() > 1 ? "," : "";
      masked += header.key();
      masked += ':';
      masked += kMask;
    }
    return masked + "}";
  }

  void take(std::string_view pointer, std::string_view value) {
    if (split_.secrets.size() + split_.kept.size() == kMaxSecrets) {
      problem_ = fault("", "must have at most 64 secrets");
    } else if (pointer.size() > kMaxPointerBytes) {
      problem_ = fault("", "has a secret whose JSON Pointer is longer than 1 KiB");
    } else if (value.size() > kMaxSecretBytes) {
      problem_ = fault(pointer, "must have at most 16 KiB, as every secret");
    } else if (value == kMask) {
      split_.places.emplace_back(pointer);
      split_.kept.emplace(pointer);
    } else if (value.find(kMask) != std::string_view::npos) {
      problem_ =
          fault(pointer, "has a mask inside a secret: send the secret whole, or its mask alone");
    } else {
      split_.places.emplace_back(pointer);
      split_.secrets.push_back({std::string(pointer), std::string(value)});
    }
  }

  SplitConfig split_;
  std::optional<FieldError> problem_;
};

// The outermost list that a pointer to a value of the config leads through; nothing where there is
// none.
std::optional<json::PointerTokens> list_around(std::string_view config,
                                               const json::PointerTokens& tokens) {
  json::PointerTokens way;
  std::optional<std::string_view> value = config;
  for (const std::string& token : tokens) {
    if (json::type_of(*value) == json::ValueType::array) return way;
    value = json::find(*value, {token});
    SM_CHECK(value);
    way.push_back(token);
  }
  return std::nullopt;
}

bool is_same_address(const SplitConfig& config, std::string_view before, std::string_view name) {
  auto given = [&](const Secret& secret) { return secret.pointer == "/" + std::string(name); };
  if (std::any_of(config.secrets.begin(), config.secrets.end(), given)) return false;
  return json::find_member(config.masked, name) == json::find_member(before, name);
}

}  // namespace

bool is_secret_name(std::string_view name) {
  // Of a name longer than all endings only the end counts.
  constexpr size_t kLongest = 13;
  std::string plain;
  for (size_t i = name.size(); i-- > 0 && plain.size() < kLongest;) {
    char c = name[i];
    if (c == '_' || c == '-') continue;
    plain += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  std::reverse(plain.begin(), plain.end());
  return std::any_of(kEndings.begin(), kEndings.end(),
                     [&](std::string_view ending) { return plain.ends_with(ending); });
}

Result<SplitConfig> split_secrets(std::string_view config) { return Splitter().run(config); }

Status check_kept(const SplitConfig& config, std::string_view before, const Seals& stored) {
  FieldErrors errors;
  for (const std::string& pointer : config.kept) {
    if (stored.count(pointer) == 0) {
      errors.add(fault(pointer, "is the mask of a secret, but none is stored here"));
      continue;
    }
    json::PointerTokens tokens = *json::parse_pointer(pointer);
    auto list = list_around(config.masked, tokens);
    if (!list) list = list_around(before, tokens);
    if (list && json::find(config.masked, *list) != json::find(before, *list)) {
      errors.add(fault(pointer,
                       "is the mask of a secret in a list that changed: send the secrets of "
                       "the list again"));
    }
  }
  if (errors.empty() && !config.kept.empty()) {
    for (std::string_view name : kAddresses) {
      if (is_same_address(config, before, name)) continue;
      errors.add(fault("/" + std::string(name),
                       "cannot change while a secret is kept: send the secrets again, since "
                       "they would go to the new address"));
    }
  }
  if (!errors.empty()) return invalid_body(std::move(errors));
  return Unit{};
}

std::string write_seals(const std::vector<std::string>& places, const Seals& seals) {
  std::string text;
  if (places.empty()) return text;
  json::ListWriter list(text);
  for (const std::string& place : places) json::append_quoted(list.element(), seals.at(place));
  list.end();
  return text;
}

Seals read_seals(std::string_view config, std::string_view seals) {
  Result<SplitConfig> split = split_secrets(config);
  Seals found;
  if (!split.ok() || seals.empty()) return found;
  json::ElementCursor seal(seals);
  for (const std::string& place : split.value().places) {
    if (split.value().kept.count(place) == 0) continue;
    if (!seal.next()) return {};
    found.emplace(place, json::unquote(seal.value()));
  }
  if (seal.next()) return {};
  return found;
}

}  // namespace sm::sync
