// Reads the body of an import that has one item a line (NDJSON) while it arrives.
//
// A line ends at U+000A or with the body. One of nothing but spaces, tabs and U+000D is skipped and
// not counted, and a byte order mark at the body's start is no part of its first line. Each other
// line is an item, and fails alone: text that is no JSON, or no UTF-8, is an item refused as
// malformed. `syntax` is no event of this reader, and it finds no problems of shape.
//
// A line that the body ends within may be a whole one, or what is left of it where the connection
// broke: some servers tell the two apart only where the body's length was announced. LastLine says
// what is expected of it. A body whose first line opens a list is no NDJSON at all.
//
// How it works: the end of a line is looked for first, so that nothing of the next one is taken for
// a part of it. A line within one chunk is canonicalised where it lies; one that straddles chunks
// is gathered until its end is there, and read once. What has grown beyond kMaxRawItemBytes is
// checked by the validator as it passes, since it may have ended long before, with white space
// behind it; of a line that failed, and of one that is too large, nothing is kept.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/arena.h"
#include "core/json/canonical.h"
#include "core/json/item_stream.h"
#include "core/json/outline.h"
#include "core/json/validator.h"

namespace sm::json {

// What a last line without a newline has to be.
enum class LastLine : uint8_t {
  any,    // the body is known to be whole
  value,  // JSON, as no part of an object is: else the body was cut off
  none,   // the body was cut off: a newline alone tells that the last line is there
};

class LineReader final : public ItemStream {
 public:
  // The outline of an item that is refused keeps values within so many containers.
  explicit LineReader(LastLine last_line, size_t outline_levels = 1);

  void feed(std::string_view chunk) override;
  void finish() override;
  Event next(Arena& arena) override;

 private:
  enum class State : uint8_t {
    mark,        // at the body's start, within what may be a byte order mark
    space,       // before a value, on a line that is blank so far
    value,       // within a line; `value_` has what earlier chunks held of it
    long_value,  // within a value that the validator checks as it passes
    behind,      // behind such a value: white space may follow
    skip,        // within a line that failed
    end,
    cut_off,
    list,
  };

  // Each does one step and says whether it made an event.
  bool advance(Event& event, Arena& arena);
  bool read_mark(Event& event);
  bool read_space(Event& event);
  bool read_value(Event& event, Arena& arena);
  bool read_long_value(Event& event, Arena& arena);
  bool read_behind(Event& event, Arena& arena);
  bool skip_line(Event& event);

  void begin_line();
  State end_state() const;
  bool begin_long_value(Event& event);
  bool long_value_over(Event& event, Arena& arena);
  bool judge(std::string_view bytes, size_t size, BufferEnd end, Event& event, Arena& arena);
  bool item_event(Event& event, const Canonical& read);
  bool fail(size_t offset, Event& event);
  bool out_of_bytes(Event& event) const;

  std::string_view rest() const { return chunk_.substr(chunk_used_); }
  void consume(size_t bytes);

  LastLine last_line_;
  size_t outline_levels_;
  Canonicalizer canonicalizer_;
  Validator validator_;
  Outline outline_;  // of an item that leaves no text
  State state_ = State::mark;
  bool final_ = false;
  bool line_open_ = true;     // no newline since the body's start, or since the line began
  bool line_failed_ = false;  // the line that is open is no JSON
  size_t index_ = 0;
  size_t offset_ = 0;  // of the next byte, from the body's start
  std::string_view chunk_;
  size_t chunk_used_ = 0;
  size_t value_offset_ = 0;  // where the line's value begins
  // The value's bytes as far as they were gathered, at most kMaxRawItemBytes. Empty in long_value
  // and behind where the value is too large.
  std::string value_;
};

}  // namespace sm::json
