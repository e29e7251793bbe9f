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

// Whether an object on the way has a key of the pointer twice.
bool is_doubled(std::string_view value, const json::PointerTokens& tokens) {
  for (const std::string& token : tokens) {
    int found = 0;
    if (json::type_of(value) == json::ValueType::object) {
      for (json::MemberCursor member(value); member.next();) {
        if (json::unquote(member.key()) == token) ++found;
      }
    }
    if (found > 1) return true;
    auto next = json::find(value, {token});
    if (!next) return false;
    value = *next;
  }
  return false;
}

}  // namespace

Identity identity_of_refused(std::string_view item, json::Refusal refusal,
                             const std::optional<json::PointerTokens>& id_field) {
  constexpr std::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD
  Identity identity = identity_of(item, id_field);
  bool changed = false;
  if (refusal == json::Refusal::not_finite) changed = identity.external_id == "0";
  if (refusal == json::Refusal::lone_surrogate) {
    changed = identity.external_id.find(kReplacement) != std::string::npos;
  }
  if (refusal == json::Refusal::duplicate_key) {
    changed = is_doubled(item, {"external_id"}) || is_doubled(item, {"id"}) ||
              (id_field && is_doubled(item, *id_field));
  }
  if (changed) return {{}, "its identity is not certain"};
  return identity;
}

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
