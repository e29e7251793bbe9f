// The configuration of a source or target: free JSON, of which some members are checked and some
// are secrets.
//
// Secrets, at any depth: `api_key`, `password`, `connection`, `token`, `secret`, and every value
// under `headers`. The stored configuration has a mask in their place; they themselves are sealed,
// each under its JSON Pointer.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "core/base/ids.h"

namespace sm::sync {

inline constexpr std::string_view kMask = "\"********\"";  // canonical JSON

// Private addresses are refused as targets of outgoing requests, unless the deployment allows them.
enum class Addresses { public_only, any };

// What is wrong with the members that the API names, as fields under `/config`.
std::vector<FieldError> check_config(Side side, std::string_view config, Addresses addresses);

struct Secret {
  std::string pointer;  // into the config
  std::string value;    // canonical JSON
};

struct SplitConfig {
  std::string masked;
  std::vector<Secret> secrets;  // given now, to be sealed
  std::set<std::string> kept;   // pointers at which the mask was given
};

SplitConfig split_secrets(std::string_view config);

}  // namespace sm::sync
