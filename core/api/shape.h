// Shapes: tables that say what a JSON object of the API looks like. A request is checked against
// its shape once, at the edge; those of answers document what the writers of rows.h write. The API
// document is made from both.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/choices.h"
#include "core/base/for_document.h"
#include "core/base/result.h"

namespace sm::api {

struct RequestField {
  enum class Kind {
    name,           // text of 1 to 255 characters
    key,            // an API key that the client chose
    time,           // RFC 3339
    choice,         // one of `choices`
    object,         // free JSON object
    source_config,  // free JSON object, of which sync/config.h checks some members
    target_config,
    items,  // a list of free JSON objects
  };
  enum class Need { required, optional, nullable };

  std::string_view name;
  Kind kind;
  Need need = Need::required;
  ForDocument<std::string_view> doc = {};
  Choices choices = {};
};

struct RequestShape {
  ForDocument<std::string_view> name;
  std::span<const RequestField> fields;
  ForDocument<std::string_view> example = {};  // JSON that fits, and does something
};

struct ResponseShape;

struct ResponseField {
  enum class Kind {
    integer,
    boolean,
    text,
    choice,  // one of `choices`
    time,    // RFC 3339
    object,  // free JSON object
    counts,  // an object of integers
    nested,  // an object of the shape `of`
    list,    // of such objects
    texts,   // a list of texts
  };
  enum class Need { always, nullable, optional };

  std::string_view name;
  Kind kind;
  Need need = Need::always;
  std::string_view doc = {};
  Choices choices = {};
  const ResponseShape* of = nullptr;
};

struct ResponseShape {
  std::string_view name;
  std::span<const ResponseField> fields;
};

// The members of a request that fits its shape, as canonical JSON, by the name of the field.
class Members {
 public:
  Members() = default;
  Members(const RequestShape& shape, std::vector<std::optional<std::string>> values)
      : fields_(shape.fields), values_(std::move(values)) {}

  // The canonical text, nothing where an optional member is not there. A name that the shape lacks
  // traps.
  const std::optional<std::string>& json(std::string_view name) const;
  // The text that a JSON string stands for; the member must be there.
  std::string text(std::string_view name) const;

 private:
  std::span<const RequestField> fields_ = {};
  std::vector<std::optional<std::string>> values_;
};

// `canonical` is any canonical JSON text. Errors: invalid, with a pointer for every field at fault.
Result<Members> check_shape(const RequestShape& shape, std::string_view canonical);

// Characters (code points) of a UTF-8 text.
size_t count_characters(std::string_view utf8);

}  // namespace sm::api
