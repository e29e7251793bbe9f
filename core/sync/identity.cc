#include "core/sync/identity.h"

#include <algorithm>

#include "core/base/limits.h"
#include "core/json/cursor.h"

namespace sm::sync {
namespace {

Identity read_identity(std::string_view value) {
  if (json::type_of(value) == json::ValueType::number) return {std::string(value), {}};
  if (json::type_of(value) != json::ValueType::string) return {{}, "must be a string or a number"};
  std::string text = json::unquote(value);
  if (text.empty()) return {{}, "must not be empty"};
  if (text.size() > kMaxIdentityBytes) return {{}, "must have at most 512 bytes"};
  if (text.find('\0') != std::string::npos) return {{}, "must not contain U+0000"};
  return {std::move(text), {}};
}

bool is_there(const std::optional<std::string_view>& value) {
  return value && json::type_of(*value) != json::ValueType::null;
}

std::string pointer_of(const json::PointerTokens& tokens) {
  std::string pointer;
  for (const std::string& token : tokens) json::append_token(pointer, token);
  return pointer.empty() ? "\"\"" : pointer;
}

// Whether what a refused item has at a pointer is not certain: an object on the way has the key
// twice, or the key has U+FFFD, which may stand for half of a surrogate pair.
bool is_uncertain(std::string_view value, const json::PointerTokens& tokens) {
  for (const std::string& token : tokens) {
    if (token.find("\xef\xbf\xbd") != std::string::npos) return true;
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

// Looks at one place; nothing where it is passed over. What stands in errors is worked out only
// there, since most items have none.
std::optional<Identity> identity_at(const std::optional<std::string_view>& value,
                                    std::string_view name, const IdField& id_field) {
  if (!is_there(value)) return std::nullopt;
  Identity identity = read_identity(*value);
  if (identity.problem.empty()) return identity;
  std::string where =
      name.empty() ? pointer_of(*id_field) + " (id_field)" : "/" + std::string(name);
  identity.problem = "its identity, at " + where + ", " + identity.problem;
  return identity;
}

Identity none(const IdField& id_field) {
  if (!id_field)
    return {{},
            "it has no identity: neither external_id nor id (the source's config may name another "
            "place, as {\"id_field\": \"/ListingKey\"})"};
  return {{},
          "it has no identity: nothing at " + pointer_of(*id_field) +
              " (id_field), and neither external_id nor id"};
}

}  // namespace

Identity identity_of(std::string_view item, const IdField& id_field) {
  if (id_field) {
    if (auto found = identity_at(json::find(item, *id_field), {}, id_field)) return *found;
  }
  for (std::string_view name : {"external_id", "id"}) {
    if (auto found = identity_at(json::find_member(item, name), name, id_field)) return *found;
  }
  return none(id_field);
}

Identity identity_of_refused(std::string_view item, const IdField& id_field) {
  auto uncertain = [](const json::PointerTokens& tokens) {
    return Identity{{},
                    "its identity is not certain: a member of " + pointer_of(tokens) +
                        " is there twice, or half of a surrogate pair"};
  };
  if (id_field) {
    if (is_uncertain(item, *id_field)) return uncertain(*id_field);
    if (auto found = identity_at(json::find(item, *id_field), {}, id_field)) return *found;
  }
  for (const char* name : {"external_id", "id"}) {
    if (is_uncertain(item, {name})) return uncertain({name});
    if (auto found = identity_at(json::find_member(item, name), name, id_field)) return *found;
  }
  return none(id_field);
}

size_t identity_levels(const IdField& id_field) {
  return id_field ? std::max<size_t>(id_field->size(), 1) : 1;
}

}  // namespace sm::sync
