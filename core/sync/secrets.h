// The secrets of a configuration: members whose names say so, at any depth, and every value under
// `headers`.
//
// The stored configuration has a mask in their place; they themselves are sealed, each for its JSON
// Pointer, and stored as one text, a JSON list: a seal for each mask, in the order of the text, so
// that no pointer is written twice. A mask that comes back in a change means the secret that is
// stored for its place.
// So it may stand only where the places are still the same: in a list that is otherwise as it was,
// and beside the same address, since whoever may change an address would else be sent the secret.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "core/base/result.h"

namespace sm::sync {

inline constexpr std::string_view kMask = "\"********\"";  // canonical JSON

// Whether a member of this name is a secret, if it is anything but null.
bool is_secret_name(std::string_view name);

struct Secret {
  std::string pointer;  // into the config
  std::string value;    // canonical JSON
};

struct SplitConfig {
  std::string masked;
  std::vector<std::string> places;  // pointers of all secrets, in the order of the text
  std::vector<Secret> secrets;      // given now, to be sealed
  std::set<std::string> kept;       // pointers at which the mask was given
};

// Seals by the pointers of their secrets.
using Seals = std::map<std::string, std::string>;

// Errors: invalid, where there are more secrets, or larger ones, than a config may have
// (base/limits.h).
Result<SplitConfig> split_secrets(std::string_view config);

// Whether the masks of a config may mean what is stored: `before` is the stored config, `stored`
// its seals; a new config has neither. Errors: invalid.
Status check_kept(const SplitConfig& config, std::string_view before, const Seals& stored);

// The text that is stored of them, for the places of a config; empty where it has none. Each place
// must have its seal.
std::string write_seals(const std::vector<std::string>& places, const Seals& seals);

// Of a stored config, and the text that is stored with it; none where the two do not fit together.
Seals read_seals(std::string_view config, std::string_view seals);

}  // namespace sm::sync
