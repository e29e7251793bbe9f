// Parameters of a query: what the route table says of each, and the typed values that a handler is
// given. The text of a query is read here, once, and nowhere else.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "core/base/choices.h"
#include "core/base/for_document.h"
#include "core/base/result.h"
#include "core/base/time.h"

namespace sm::api {

// Ids have 15 digits at most, so that a JavaScript number holds each.
inline constexpr int64_t kMaxId = 999'999'999'999'999;

struct Parameter {
  enum class Kind {
    integer,  // from `low` to `high`, in decimal digits
    boolean,  // true or false
    choice,   // one of `choices`
    time,     // RFC 3339
    text,     // of `low` to `high` bytes, none of them U+0000
    cursor,   // of a Link header; what it says only the list knows
  };

  std::string_view name;
  Kind kind;
  ForDocument<std::string_view> doc;
  int64_t low = 0;
  int64_t high = 0;
  Choices choices = {};
  ForDocument<std::string_view> preset = {};  // what counts where it is not given, as JSON
};

// The values that a query gave, by the names of its route's parameters. A name that the route does
// not have, and one of another kind, trap.
class Arguments {
 public:
  using Value = std::variant<int64_t, bool, Time, std::string>;

  Arguments() = default;

  std::optional<int64_t> integer(std::string_view name) const;
  std::optional<bool> boolean(std::string_view name) const;
  std::optional<Time> time(std::string_view name) const;
  // Of a choice, a text or a cursor.
  std::optional<std::string> text(std::string_view name) const;

 private:
  friend Result<Arguments> read_arguments(std::span<const Parameter> known,
                                          std::string_view raw_query);

  explicit Arguments(std::span<const Parameter> known) : known_(known) {}
  const Value* find(std::string_view name) const;
  template <typename T>
  std::optional<T> get(std::string_view name) const;

  std::span<const Parameter> known_ = {};
  std::map<std::string, Value, std::less<>> values_;
};

// Errors: invalid, where the query is too long, or with every parameter that is unknown, given
// twice, or has no value of its kind.
Result<Arguments> read_arguments(std::span<const Parameter> known, std::string_view raw_query);

}  // namespace sm::api
