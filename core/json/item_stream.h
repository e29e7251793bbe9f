// What reads the body of an import while it arrives: the caller feeds chunks of any size and pulls
// events, one item after the other. The events are the same however the body is cut into chunks.
//
//   ItemReader   {"data":[item, …]}
//   LineReader   one item a line (NDJSON)
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/arena.h"
#include "core/json/canonical.h"

namespace sm::json {

// The raw text of one item, white space inside it included. A longer one is not kept: it passes
// through the validator and is refused as too large. Of what is refused without a text of its own
// the outline (outline.h) stands for it.
inline constexpr size_t kMaxRawItemBytes = 4 * 1024 * 1024;
inline constexpr size_t kMaxShapeProblems = 100;

struct ShapeProblem {
  enum class Kind : uint8_t {
    not_object,  // "" : the body is something else than an object
    missing,     // "/data"
    not_list,    // "/data"
    duplicate,   // "/data", or an unknown member that came before
    unknown,     // "/name"
  };
  std::string pointer;  // RFC 6901
  Kind kind;
};

struct Event {
  enum class Kind : uint8_t {
    item,
    need_more,
    end,
    syntax,
    cut_off,  // of lines: the body ended where no whole one ends
    list,     // of lines: the first one opens a list, so the body is meant otherwise
  };
  Kind kind = Kind::need_more;
  // item: why it is not storable, and its place among the items, from 0.
  Refusal refusal = Refusal::none;
  size_t index = 0;
  // item: its canonical form, in the arena of the call; where it is refused, a text that stands for
  // it, and the pointer of the member at fault (canonical.h).
  std::string_view text;
  std::string_view pointer;
  // syntax, and an item that is malformed: the first byte that cannot continue a JSON text, counted
  // from the body's first byte.
  size_t offset = 0;
};

class ItemStream {
 public:
  virtual ~ItemStream() = default;

  // The next bytes of the body, only after need_more. They must stay where they are until the next
  // feed.
  virtual void feed(std::string_view chunk) = 0;
  // No further bytes, only after need_more.
  virtual void finish() = 0;

  // The next event. need_more: feed or finish. What is neither that nor an item is the last event,
  // given again at each further call.
  virtual Event next(Arena& arena) = 0;

  // What is wrong with the body as a whole although it is JSON. At most kMaxShapeProblems, in the
  // order of the body, `missing` last. Complete after `end`.
  const std::vector<ShapeProblem>& problems() const { return problems_; }

 protected:
  void add(ShapeProblem problem) { problems_.push_back(std::move(problem)); }

 private:
  std::vector<ShapeProblem> problems_;
};

}  // namespace sm::json
