#include "core/sync/identity.h"

#include <algorithm>

#include "core/base/check.h"
#include "core/base/limits.h"
#include "core/json/cursor.h"

namespace sm::sync {
namespace {

Identity read_identity(std::string_view value) {
  using Fault = IdentityFault;
  if (json::type_of(value) == json::ValueType::number) return {std::string(value)};
  if (json::type_of(value) != json::ValueType::string) return {{}, Fault::wrong_type};
  std::string text = json::unquote(value);
  if (text.empty()) return {{}, Fault::empty};
  if (text.size() > kMaxIdentityBytes) return {{}, Fault::too_long};
  if (text.find('\0') != std::string::npos) return {{}, Fault::has_nul};
  return {std::move(text)};
}

bool is_there(const std::optional<std::string_view>& value) {
  return value && json::type_of(*value) != json::ValueType::null;
}

std::string pointer_of(const json::PointerTokens& tokens) {
  std::string pointer;
  for (const std::string& token : tokens) json::append_token(pointer, token);
  return pointer.empty() ? "\"\"" : pointer;
}

// Goes on from a value of a refused item to what a token names in it. False where that is not
// certain: the key is there twice, or it has U+FFFD, which may stand for half of a surrogate pair.
bool step_surely(std::optional<std::string_view>& value, std::string_view token) {
  if (token.find("\xef\xbf\xbd") != std::string_view::npos) return false;
  if (!value) return true;
  if (json::type_of(*value) != json::ValueType::object) {
    value = json::find(*value, {std::string(token)});
    return true;
  }
  std::string key = json::quote(token);
  std::optional<std::string_view> found;
  for (json::MemberCursor member(*value); member.next();) {
    if (member.key() != key) continue;
    if (found) return false;
    found = member.value();
  }
  value = found;
  return true;
}

// Looks at one place; nothing where it is passed over.
std::optional<Identity> identity_at(const std::optional<std::string_view>& value,
                                    std::string_view member) {
  if (!is_there(value)) return std::nullopt;
  Identity identity = read_identity(*value);
  identity.member = member;
  return identity;
}

constexpr std::string_view kMembers[] = {"external_id", "id"};

}  // namespace

Identity identity_of(std::string_view item, const IdField& id_field) {
  if (id_field) {
    if (auto found = identity_at(json::find(item, *id_field), {})) return *std::move(found);
  }
  for (std::string_view member : kMembers) {
    if (auto found = identity_at(json::find_member(item, member), member)) return *std::move(found);
  }
  return {{}, IdentityFault::missing};
}

Identity identity_of_refused(std::string_view item, const IdField& id_field) {
  if (id_field) {
    std::optional<std::string_view> value = item;
    for (const std::string& token : *id_field) {
      if (!step_surely(value, token)) return {{}, IdentityFault::uncertain};
    }
    if (auto found = identity_at(value, {})) return *std::move(found);
  }
  for (std::string_view member : kMembers) {
    std::optional<std::string_view> value = item;
    if (!step_surely(value, member)) return {{}, IdentityFault::uncertain, member};
    if (auto found = identity_at(value, member)) return *std::move(found);
  }
  return {{}, IdentityFault::missing};
}

std::string problem_of(const Identity& identity, const IdField& id_field) {
  bool by_field = identity.member.empty() && id_field;
  std::string at = by_field ? pointer_of(*id_field) : "/" + std::string(identity.member);
  std::string where = "its identity, at " + at + (by_field ? " (id_field), " : ", ");
  switch (identity.fault) {
    case IdentityFault::none:
      return {};
    case IdentityFault::missing:
      return id_field ? "it has no identity: nothing at " + at +
                            " (id_field), and neither external_id nor id"
                      : "it has no identity: neither external_id nor id (the source's config may "
                        "name another place, as {\"id_field\": \"/ListingKey\"})";
    case IdentityFault::uncertain:
      return "its identity is not certain: a member of " + at +
             " is there twice, or half of a surrogate pair";
    case IdentityFault::wrong_type:
      return where + "must be a string or a number";
    case IdentityFault::empty:
      return where + "must not be empty";
    case IdentityFault::too_long:
      return where + "must have at most 512 bytes";
    case IdentityFault::has_nul:
      return where + "must not contain U+0000";
  }
  SM_CHECK(false);
}

size_t identity_levels(const IdField& id_field) {
  return id_field ? std::max<size_t>(id_field->size(), 1) : 1;
}

}  // namespace sm::sync
