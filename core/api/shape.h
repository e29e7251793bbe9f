// Shapes: tables that say what a JSON object of the API looks like. A request is checked against
// its shape once, at the edge, and the API document is made from the same tables.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace sm::api {

struct Field {
  enum class Kind {
    name,  // text of 1 to 255 characters
    text,
    key,     // an API key that the client chose
    choice,  // one of `choices`
    integer,
    boolean,
    time,    // RFC 3339
    object,  // free JSON object
    list,    // of objects
    stats,   // object of counts
  };
  enum class Need { required, optional, nullable };

  std::string_view name;
  Kind kind;
  Need need = Need::required;
  std::string_view doc = {};
  std::span<const std::string_view> choices = {};
};

struct Shape {
  std::string_view name;
  std::span<const Field> fields;
  std::string_view doc = {};
};

// The members of a request that fits its shape, as canonical JSON, by the name of the field.
class Members {
 public:
  Members(const Shape& shape, std::vector<std::optional<std::string>> values)
      : shape_(&shape), values_(std::move(values)) {}

  // The canonical text, nothing where an optional member is not there. A name that the shape lacks
  // traps.
  const std::optional<std::string>& json(std::string_view name) const;
  // The text that a JSON string stands for; the member must be there.
  std::string text(std::string_view name) const;

 private:
  const Shape* shape_;
  std::vector<std::optional<std::string>> values_;
};

// `canonical` is any canonical JSON text. Errors: invalid, with a pointer for every field at fault.
Result<Members> check_shape(const Shape& shape, std::string_view canonical);

// Characters (code points) of a UTF-8 text.
size_t count_characters(std::string_view utf8);

}  // namespace sm::api
