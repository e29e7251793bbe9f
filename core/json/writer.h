// Writes JSON text member by member: the one place where text is put together.
//
//   std::string json;
//   json::ObjectWriter(json).integer("id", 7).text("name", name).end();
//
// Names are plain ASCII that needs no escape; values are numbers, texts that are quoted here, or
// JSON that stands already. The text is canonical where names are given in their order.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/json/cursor.h"

namespace sm::json {

class ObjectWriter {
 public:
  // Appends to `out`, which stays the caller's.
  explicit ObjectWriter(std::string& out) : out_(out) { out_ += '{'; }

  ObjectWriter& integer(std::string_view name, int64_t value) {
    return raw(name, std::to_string(value));
  }
  ObjectWriter& text(std::string_view name, std::string_view value) {
    append_quoted(key(name), value);
    return *this;
  }
  ObjectWriter& maybe_integer(std::string_view name, std::optional<int64_t> value) {
    return value ? integer(name, *value) : raw(name, "null");
  }
  ObjectWriter& maybe_text(std::string_view name, std::optional<std::string_view> value) {
    return value ? text(name, *value) : raw(name, "null");
  }
  ObjectWriter& boolean(std::string_view name, bool value) {
    return raw(name, value ? "true" : "false");
  }
  // `value` is JSON.
  ObjectWriter& raw(std::string_view name, std::string_view value) {
    key(name) += value;
    return *this;
  }

  // Begins a member, whose value the caller appends to what is given back.
  std::string& key(std::string_view name) {
    out_ += first_ ? "\"" : ",\"";
    out_ += name;
    out_ += "\":";
    first_ = false;
    return out_;
  }
  // The same with a key that is a JSON string already.
  std::string& quoted_key(std::string_view key) {
    if (!first_) out_ += ',';
    out_ += key;
    out_ += ':';
    first_ = false;
    return out_;
  }

  void end() { out_ += '}'; }

 private:
  std::string& out_;
  bool first_ = true;
};

class ListWriter {
 public:
  explicit ListWriter(std::string& out) : out_(out) { out_ += '['; }

  // Begins an element, whose value the caller appends to what is given back.
  std::string& element() {
    if (!first_) out_ += ',';
    first_ = false;
    return out_;
  }
  bool empty() const { return first_; }
  void end() { out_ += ']'; }

 private:
  std::string& out_;
  bool first_ = true;
};

// An object of which `write` appends the members to the writer it is given.
template <typename F>
std::string object(F write) {
  std::string out;
  ObjectWriter writer(out);
  write(writer);
  writer.end();
  return out;
}

}  // namespace sm::json
