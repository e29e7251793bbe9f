#include "core/json/line_reader.h"

#include <algorithm>

#include "core/base/check.h"
#include "core/json/simd.h"

namespace sm::json {
namespace {

// The canonicaliser is faster where it may look at as many bytes behind a value.
constexpr size_t kReadAhead = 16;

constexpr Canonical kTooLarge{.outcome = Outcome::done, .refusal = Refusal::too_large};

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r'; }

// The first byte of [from, to) that is no white space of a line, else `to`.
size_t skip_space(std::string_view bytes, size_t from, size_t to) {
  while (from < to && is_space(bytes[from])) ++from;
  return from;
}

// Where the line ends, or all bytes where none does.
size_t line_size(std::string_view bytes) {
  const char* begin = bytes.data();
  const char* p = begin;
  const char* end = p + bytes.size();
  for (; end - p >= 16; p += 16) {
    uint32_t mask = bit_mask((Bytes16)(load16(p) == '\n'));
    if (mask != 0) return static_cast<size_t>(p - begin) + static_cast<size_t>(__builtin_ctz(mask));
  }
  while (p != end && *p != '\n') ++p;
  return static_cast<size_t>(p - begin);
}

}  // namespace

LineReader::LineReader(LastLine last_line, size_t outline_levels)
    : last_line_(last_line), outline_levels_(outline_levels) {}

void LineReader::feed(std::string_view chunk) {
  SM_CHECK(!final_ && chunk_used_ == chunk_.size());
  chunk_ = chunk;
  chunk_used_ = 0;
}

void LineReader::finish() {
  feed({});
  final_ = true;
}

Event LineReader::next(Arena& arena) {
  Event event;
  while (!advance(event, arena)) {
  }
  return event;
}

bool LineReader::advance(Event& event, Arena& arena) {
  switch (state_) {
    case State::mark:
      return read_mark(event);
    case State::space:
      return read_space(event);
    case State::value:
      return read_value(event, arena);
    case State::long_value:
      return read_long_value(event, arena);
    case State::behind:
      return read_behind(event, arena);
    case State::skip:
      return skip_line(event);
    case State::end:
      event.kind = Event::Kind::end;
      return true;
    case State::cut_off:
      event.kind = Event::Kind::cut_off;
      return true;
    case State::list:
      event.kind = Event::Kind::list;
      return true;
  }
  SM_CHECK(false);
  return true;
}

bool LineReader::read_mark(Event& event) {
  std::string_view bytes = rest();
  if (bytes.empty() && !final_) return out_of_bytes(event);
  if (!bytes.empty() && bytes[0] == kByteOrderMark[offset_]) {
    consume(1);
    if (offset_ == kByteOrderMark.size()) state_ = State::space;
    return false;
  }
  if (offset_ > 0) return fail(offset_, event);
  state_ = State::space;
  return false;
}

bool LineReader::read_space(Event& event) {
  std::string_view bytes = rest();
  size_t space = 0;
  while (space < bytes.size() && (is_space(bytes[space]) || bytes[space] == '\n')) ++space;
  if (bytes.substr(0, space).find('\n') != bytes.npos) line_failed_ = false;
  // White space behind the last newline may be the beginning of a line.
  if (space > 0) line_open_ = bytes[space - 1] != '\n';
  consume(space);
  if (space < bytes.size()) {
    begin_line();
    return false;
  }
  if (!final_) return out_of_bytes(event);
  state_ = end_state();
  return false;
}

void LineReader::begin_line() {
  state_ = index_ == 0 && rest()[0] == '[' ? State::list : State::value;
  line_open_ = true;
  line_failed_ = false;
  value_offset_ = offset_;
  value_.clear();
}

LineReader::State LineReader::end_state() const {
  if (!line_open_ || last_line_ == LastLine::any) return State::end;
  return last_line_ == LastLine::value && !line_failed_ ? State::end : State::cut_off;
}

bool LineReader::read_value(Event& event, Arena& arena) {
  std::string_view bytes = rest();
  size_t size = line_size(bytes);
  if (value_.size() + size > kMaxRawItemBytes) return begin_long_value(event);
  bool ends = size < bytes.size();
  if (!ends && !final_) {
    value_ += bytes;
    consume(size);
    return out_of_bytes(event);
  }
  state_ = State::space;
  if (value_.empty()) {
    consume(size);
    return judge(bytes, size, BufferEnd::more, event, arena);
  }
  size_t whole = value_.size() + size;
  value_ += bytes.substr(0, size + kReadAhead);
  consume(size);
  return judge(value_, whole, ends ? BufferEnd::more : BufferEnd::final, event, arena);
}

// The line in `bytes` begins with its value and has `size` bytes; a line end follows, unless `end`
// is final, and what is behind that is of no meaning.
bool LineReader::judge(std::string_view bytes, size_t size, BufferEnd end, Event& event,
                       Arena& arena) {
  Arena::Mark before = arena.mark();
  Canonical read = canonicalizer_.read(bytes.substr(0, size + kReadAhead), end, arena);
  // A value that goes on behind the line was cut off by its end.
  size_t wrong = size;
  if (read.outcome == Outcome::syntax) wrong = std::min(read.offset, size);
  if (read.outcome == Outcome::done && read.offset <= size) {
    wrong = skip_space(bytes, read.offset, size);
    if (wrong == size) {
      read = outline_.stand_in(bytes, outline_levels_, canonicalizer_, arena, read);
      return item_event(event, read);
    }
  }
  arena.release(before);
  line_failed_ = true;
  event.offset = value_offset_ + wrong;
  read = {};
  read.refusal = Refusal::malformed;
  return item_event(event, read);
}

// More of the line is here than one value may have. All of that is gathered and checked.
bool LineReader::begin_long_value(Event& event) {
  size_t taken = kMaxRawItemBytes - value_.size();
  value_ += rest().substr(0, taken);
  consume(taken);
  validator_.reset();
  Validator::Step step = validator_.feed(value_);
  if (step.outcome == Outcome::syntax) return fail(value_offset_ + step.offset, event);
  if (step.outcome == Outcome::need_more) {
    state_ = State::long_value;
    outline_.reset(outline_levels_);
    outline_.feed(value_);
    return false;
  }
  size_t behind = skip_space(value_, step.offset, value_.size());
  if (behind < value_.size()) return fail(value_offset_ + behind, event);
  value_.resize(step.offset);
  state_ = State::behind;
  return false;
}

bool LineReader::read_long_value(Event& event, Arena& arena) {
  std::string_view bytes = rest();
  size_t size = line_size(bytes);
  if (size > 0) {
    Validator::Step step = validator_.feed(bytes.substr(0, size));
    if (step.outcome == Outcome::syntax) return fail(offset_ + step.offset, event);
    if (step.offset > 0) value_.clear();
    outline_.feed(bytes.substr(0, step.offset));
    consume(step.offset);
    if (step.outcome == Outcome::done) state_ = State::behind;
    return false;
  }
  if (bytes.empty() && !final_) return out_of_bytes(event);
  if (validator_.finish().outcome != Outcome::done) return fail(offset_, event);
  return long_value_over(event, arena);
}

bool LineReader::read_behind(Event& event, Arena& arena) {
  std::string_view bytes = rest();
  consume(skip_space(bytes, 0, bytes.size()));
  bytes = rest();
  if (bytes.empty() && !final_) return out_of_bytes(event);
  if (!bytes.empty() && bytes[0] != '\n') return fail(offset_, event);
  return long_value_over(event, arena);
}

bool LineReader::long_value_over(Event& event, Arena& arena) {
  state_ = State::space;
  if (value_.empty()) {
    return item_event(event, outline_.read(canonicalizer_, arena, kTooLarge));
  }
  return judge(value_, value_.size(), BufferEnd::final, event, arena);
}

bool LineReader::skip_line(Event& event) {
  std::string_view bytes = rest();
  size_t size = line_size(bytes);
  consume(size);
  if (size == bytes.size() && !final_) return out_of_bytes(event);
  state_ = State::space;
  return false;
}

bool LineReader::item_event(Event& event, const Canonical& read) {
  event.kind = Event::Kind::item;
  event.refusal = read.refusal;
  event.text = read.text;
  event.pointer = read.pointer;
  event.index = index_++;
  return true;
}

// The rest of the line is of no interest any more.
bool LineReader::fail(size_t offset, Event& event) {
  state_ = State::skip;
  line_failed_ = true;
  event.offset = offset;
  Canonical none;
  none.refusal = Refusal::malformed;
  return item_event(event, none);
}

bool LineReader::out_of_bytes(Event& event) const {
  event.kind = Event::Kind::need_more;
  return true;
}

void LineReader::consume(size_t bytes) {
  offset_ += bytes;
  chunk_used_ += bytes;
}

}  // namespace sm::json
