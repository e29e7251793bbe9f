// The configuration of a source or target: free JSON, of which some members mean something.
//
// One table for sources and one for targets says which members, of what kind, what they may be and
// what they do. Checking, parsing and the API document are made from it. Members at other places,
// and those of the other kind, are free. What of a configuration is secret stands in secrets.h.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "core/base/for_document.h"
#include "core/base/ids.h"
#include "core/json/pointer.h"

namespace sm::sync {

struct ConfigMember {
  enum class Kind : uint8_t {
    url,      // absolute, http or https, to a public address, without userinfo
    pointer,  // a JSON Pointer
    ratio,    // a number from 0 to 1
    choice,   // one of `choices`, the first of which counts where the member is not given
  };
  std::string_view name;
  Kind kind;
  ForDocument<std::string_view> doc;
  std::span<const std::string_view> choices = {};
};

// In the order in which they are documented.
std::span<const ConfigMember> config_members(Connector connector);

// Private addresses are refused as targets of outgoing requests, unless the deployment allows them.
enum class Addresses { public_only, any };

// What is wrong with the members that have a meaning, as fields under `/config`.
FieldErrors check_config(Connector connector, std::string_view config, Addresses addresses);

struct SourceConfig {
  std::optional<json::PointerTokens> id_field = {};
  std::optional<double> max_removed_ratio = {};
};

enum class ConflictPolicy : uint8_t { skip, source_wins };
enum class OnRemoved : uint8_t { keep, hide };

struct TargetConfig {
  ConflictPolicy conflict_policy = ConflictPolicy::skip;
  OnRemoved on_removed = OnRemoved::keep;
};

// Of a stored configuration, which is canonical. A member that does not fit counts as not given: it
// may have been stored before it had a meaning.
SourceConfig source_config(std::string_view config);
TargetConfig target_config(std::string_view config);

// The word that stands for it in a configuration.
std::string_view policy_name(ConflictPolicy policy);

}  // namespace sm::sync
