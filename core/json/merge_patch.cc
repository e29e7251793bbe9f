#include "core/json/merge_patch.h"

#include "core/json/cursor.h"
#include "core/json/key_order.h"
#include "core/json/writer.h"

namespace sm::json {
namespace {

// As deep as the patch is at most: what it does not reach is copied.
void apply(std::string_view target, std::string_view patch, std::string& out) {
  if (type_of(patch) != ValueType::object) {
    out += patch;
    return;
  }
  // Against anything but an object the patch counts as one against an empty object.
  MemberCursor old(type_of(target) == ValueType::object ? target : std::string_view("{}"));
  MemberCursor change(patch);
  ObjectWriter writer(out);
  bool has_old = old.next();
  for (bool has_change = change.next(); has_change; has_change = change.next()) {
    while (has_old && compare_keys(old.key(), change.key()) < 0) {
      writer.quoted_key(old.key()) += old.value();
      has_old = old.next();
    }
    bool both = has_old && old.key() == change.key();
    if (type_of(change.value()) != ValueType::null) {
      writer.quoted_key(change.key());
      apply(both ? old.value() : std::string_view("null"), change.value(), out);
    }
    if (both) has_old = old.next();
  }
  for (; has_old; has_old = old.next()) writer.quoted_key(old.key()) += old.value();
  writer.end();
}

}  // namespace

std::string merge_patch(std::string_view target, std::string_view patch) {
  std::string out;
  out.reserve(target.size() + patch.size());
  apply(target, patch, out);
  return out;
}

}  // namespace sm::json
