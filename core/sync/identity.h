// The identity of an imported item: what makes it the same property in each import, and in every
// target.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/json/pointer.h"

namespace sm::sync {

// Why an item has no identity. A text of it is made where it is told alone: of a million items each
// may fail.
enum class IdentityFault { none, missing, uncertain, wrong_type, empty, too_long, has_nul };

struct Identity {
  std::string external_id;  // empty where there is none
  IdentityFault fault = IdentityFault::none;
  std::string_view member = {};  // at fault; empty for what `id_field` points to
};

using IdField = std::optional<json::PointerTokens>;

// `item` is a canonical object. The identity is what `id_field` points to where that is set, else
// `external_id`, else `id`; a missing or null one is passed over. A string of 1 to 512 bytes
// without U+0000, or a number, by its canonical text.
Identity identity_of(std::string_view item, const IdField& id_field);

// The identity of an item that is refused, from the text that stands for it (json/canonical.h);
// none where a key on the way to it stands there twice.
Identity identity_of_refused(std::string_view item, const IdField& id_field);

// A text for the import's errors; empty where there is an identity.
std::string problem_of(const Identity& identity, const IdField& id_field);

// Containers within which identities are looked for.
size_t identity_levels(const IdField& id_field);

}  // namespace sm::sync
