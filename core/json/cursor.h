// Walks canonical text (canonical.h) where it lies: no tree is built and nothing is copied.
//
// Everything here takes canonical text, as the canonicaliser, the store and the functions of this
// folder hand it out, and trusts it: there is no white space, every bracket has its partner, keys
// are sorted and unique. Text from outside must go through the canonicaliser first. Views point
// into the text that was given.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sm::json {

enum class ValueType : uint8_t { null, boolean, number, string, array, object };

ValueType type_of(std::string_view value);

// The position behind the value that starts at `position` of `text`.
size_t skip_value(std::string_view text, size_t position);

// for (MemberCursor member(object); member.next();) use(member.key(), member.value());
// `key` is the canonical text of the key, quotes included; see `unquote`.
class MemberCursor {
 public:
  explicit MemberCursor(std::string_view object) : text_(object) {}
  bool next();
  std::string_view key() const { return key_; }
  std::string_view value() const { return value_; }

 private:
  std::string_view text_, key_, value_;
  size_t position_ = 1;
};

// for (ElementCursor element(array); element.next();) use(element.value());
class ElementCursor {
 public:
  explicit ElementCursor(std::string_view array) : text_(array) {}
  bool next();
  std::string_view value() const { return value_; }

 private:
  std::string_view text_, value_;
  size_t position_ = 1;
};

// The UTF-8 text that a canonical string stands for.
std::string unquote(std::string_view string);

// The canonical string that stands for a text, which must be UTF-8.
std::string quote(std::string_view utf8);
void append_quoted(std::string& out, std::string_view utf8);

// The value of a member, the key given as plain UTF-8; none where the value is no object or lacks
// it.
std::optional<std::string_view> find_member(std::string_view object, std::string_view key_utf8);

}  // namespace sm::json
