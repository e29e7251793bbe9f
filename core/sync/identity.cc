#include "core/sync/identity.h"

#include "core/base/limits.h"
#include "core/json/cursor.h"

namespace sm::sync {
namespace {

Identity read_identity(std::string_view value) {
  if (json::type_of(value) == json::ValueType::number) return {std::string(value), {}};
  if (json::type_of(value) != json::ValueType::string) {
    return {{}, "its identity must be a string or a number"};
  }
  std::string text = json::unquote(value);
  if (text.empty()) return {{}, "its identity must not be empty"};
  if (text.size() > kMaxIdentityBytes) return {{}, "its identity must have at most 512 bytes"};
  if (text.find('\0') != std::string::npos) return {{}, "its identity must not contain U+0000"};
  return {std::move(text), {}};
}

bool is_there(const std::optional<std::string_view>& value) {
  return value && json::type_of(*value) != json::ValueType::null;
}

}  // namespace

Identity identity_of(std::string_view item, const std::optional<json::PointerTokens>& id_field) {
  if (id_field) {
    auto value = json::find(item, *id_field);
    if (is_there(value)) return read_identity(*value);
  }
  for (std::string_view name : {"external_id", "id"}) {
    auto value = json::find_member(item, name);
    if (is_there(value)) return read_identity(*value);
  }
  return {{}, "it has no identity: neither external_id nor id"};
}

}  // namespace sm::sync
