// The identity of an imported item: what makes it the same property in each import, and in every
// target.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "core/json/canonical.h"
#include "core/json/pointer.h"

namespace sm::sync {

struct Identity {
  std::string external_id;   // empty where there is none
  std::string_view problem;  // why there is none; text for the import's errors
};

// `item` is canonical. The identity is what `id_field` points to where that is set, else
// `external_id`, else `id`; a missing or null one is passed over. A string of 1 to 512 bytes
// without U+0000, or a number, by its canonical text.
Identity identity_of(std::string_view item, const std::optional<json::PointerTokens>& id_field);

// The identity of an item that is refused, from the text that stands for it (json/canonical.h);
// none where what it is refused for may have changed it.
Identity identity_of_refused(std::string_view item, json::Refusal refusal,
                             const std::optional<json::PointerTokens>& id_field);

}  // namespace sm::sync
