// The identity of an imported item: what makes it the same property in each import, and in every
// target.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/json/pointer.h"

namespace sm::sync {

struct Identity {
  std::string external_id;  // empty where there is none
  std::string problem;      // why there is none; text for the import's errors
};

using IdField = std::optional<json::PointerTokens>;

// `item` is a canonical object. The identity is what `id_field` points to where that is set, else
// `external_id`, else `id`; a missing or null one is passed over. A string of 1 to 512 bytes
// without U+0000, or a number, by its canonical text.
Identity identity_of(std::string_view item, const IdField& id_field);

// The identity of an item that is refused, from the text that stands for it (json/canonical.h);
// none where a key on the way to it stands there twice.
Identity identity_of_refused(std::string_view item, const IdField& id_field);

// Containers within which identities are looked for.
size_t identity_levels(const IdField& id_field);

}  // namespace sm::sync
