#include "core/json/item_reader.h"

#include <algorithm>

#include "core/base/check.h"
#include "core/json/cursor.h"
#include "core/json/pointer.h"
#include "core/json/text.h"

namespace sm::json {
namespace {

// An item that straddles chunks is not tried before it has as many bytes: chunks may be tiny.
constexpr size_t kFirstRetryBytes = 1024;

constexpr Canonical kTooLarge{.outcome = Outcome::done, .refusal = Refusal::too_large};

bool is_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

// The text that a string of raw JSON stands for; it is well-formed, but for where it was cut off.
std::string decode_key(std::string_view raw) {
  std::string_view inner = raw.substr(1);
  if (raw.size() > kMaxTopKeyBytes) {
    // Back to an end that splits neither an escape nor a character: neither is longer than 12
    // bytes.
    std::string closed;
    for (size_t cut = 0; cut < 12; ++cut) {
      closed.assign(inner.substr(0, inner.size() - cut));
      closed += '"';
      StringScan scan = scan_string(closed.data(), closed.data() + closed.size());
      if (scan.result == Scan::ok) break;
    }
    inner = inner.substr(0, closed.size() - 1);
  } else {
    inner.remove_suffix(1);
  }
  if (inner.find('\\') == std::string_view::npos) return std::string(inner);
  std::string canonical(inner.size() + 2, '"');
  Rewritten rewritten =
      rewrite_string(inner.data(), inner.data() + inner.size(), canonical.data() + 1);
  canonical.resize(rewritten.size + 2);
  canonical.back() = '"';
  return unquote(canonical);
}

}  // namespace

ItemReader::ItemReader(size_t outline_levels) : outline_levels_(outline_levels) {}

void ItemReader::feed(std::string_view chunk) {
  SM_CHECK(!final_ && (pending_old_ > 0 || chunk_used_ == chunk_.size()));
  chunk_ = chunk;
  chunk_used_ = 0;
  pending_old_ = pending_.size();
}

void ItemReader::finish() {
  feed({});
  final_ = true;
}

Event ItemReader::next(Arena& arena) {
  Event event;
  while (!advance(event, arena)) {
  }
  return event;
}

bool ItemReader::advance(Event& event, Arena& arena) {
  switch (state_) {
    case State::mark:
      return read_mark(event);
    case State::key:
      return read_key(event);
    case State::item:
      return read_item(event, arena);
    case State::skip_item:
      return skip_item(event, arena);
    case State::skip_value:
      return skip_value(event);
    case State::end:
      event.kind = Event::Kind::end;
      return true;
    case State::syntax:
      return fail(offset_, event);
    default:
      return read_structure(event);
  }
}

bool ItemReader::read_mark(Event& event) {
  std::string_view bytes = rest();
  if (bytes.empty() && offset_ > 0) return out_of_bytes(event);
  if (bytes.empty() && !final_) return out_of_bytes(event);
  if (!bytes.empty() && bytes[0] == kByteOrderMark[offset_]) {
    consume(1);
    if (offset_ == kByteOrderMark.size()) state_ = State::body;
    return false;
  }
  if (offset_ > 0) return fail(offset_, event);
  state_ = State::body;
  return false;
}

bool ItemReader::read_structure(Event& event) {
  std::string_view bytes = rest();
  size_t space = 0;
  while (space < bytes.size() && is_space(bytes[space])) ++space;
  if (space > 0) consume(space);
  if (space == bytes.size()) return rest().empty() ? out_of_bytes(event) : false;
  return structure(bytes[space], event);
}

// One byte that is no white space, in a state between values. What begins a value is left to its
// reader.
bool ItemReader::structure(char byte, Event& event) {
  switch (state_) {
    case State::body:
      if (byte == '{') return take(State::first_key);
      add_problem({}, ShapeProblem::Kind::not_object);
      start_skipping(State::skip_value, State::after_body);
      return false;
    case State::first_key:
    case State::next_key:
      if (byte == '"') {
        key_.clear();
        start_skipping(State::key, State::colon);
        return false;
      }
      if (byte != '}' || state_ == State::next_key) return fail(offset_, event);
      object_over();
      return false;
    case State::colon:
      return byte == ':' ? take(State::member_value) : fail(offset_, event);
    case State::member_value:
      start_value(byte);
      return false;
    case State::after_member:
      if (byte == ',') return take(State::next_key);
      if (byte != '}') return fail(offset_, event);
      object_over();
      return false;
    case State::first_item:
      if (byte == ']') return take(State::after_member);
      state_ = State::item;
      return false;
    case State::next_item:
      state_ = State::item;
      return false;
    case State::after_item:
      if (byte == ',') return take(State::next_item);
      return byte == ']' ? take(State::after_member) : fail(offset_, event);
    default:
      return fail(offset_, event);
  }
}

bool ItemReader::take(State state) {
  consume(1);
  state_ = state;
  return false;
}

void ItemReader::start_value(char byte) {
  if (is_list_member_ && byte == '[') {
    take(State::first_item);
    return;
  }
  if (is_list_member_) add_problem("data", ShapeProblem::Kind::not_list);
  start_skipping(State::skip_value, State::after_member);
}

void ItemReader::start_skipping(State skipping, State behind) {
  validator_.reset();
  state_ = skipping;
  behind_ = behind;
}

bool ItemReader::read_key(Event& event) {
  std::string_view bytes = rest();
  if (bytes.empty()) return out_of_bytes(event);
  Validator::Step step = validator_.feed(bytes);
  if (step.outcome == Outcome::syntax) return fail(offset_ + step.offset, event);
  // One byte above the limit tells that there are more.
  key_ += bytes.substr(0, std::min(step.offset, kMaxTopKeyBytes + 1 - key_.size()));
  consume(step.offset);
  if (step.outcome == Outcome::done) key_over();
  return false;
}

void ItemReader::key_over() {
  state_ = State::colon;
  is_list_member_ = false;
  bool is_long = key_.size() > kMaxTopKeyBytes;
  bool is_escaped = key_.find('\\') != std::string::npos;
  bool is_data = !is_long && (is_escaped ? decode_key(key_) == "data" : key_ == "\"data\"");
  if (is_data) {
    if (seen_data_) add_problem("data", ShapeProblem::Kind::duplicate);
    is_list_member_ = !seen_data_;
    seen_data_ = true;
  } else if (problems().size() < kMaxShapeProblems) {
    add_problem(decode_key(key_), ShapeProblem::Kind::unknown);
  }
}

void ItemReader::object_over() {
  take(State::after_body);
  if (!seen_data_) add_problem("data", ShapeProblem::Kind::missing);
}

void ItemReader::add_problem(std::string_view name, ShapeProblem::Kind kind) {
  if (problems().size() == kMaxShapeProblems) return;
  ShapeProblem problem{{}, kind};
  if (kind != ShapeProblem::Kind::not_object) append_token(problem.pointer, name);
  auto same = [&](const ShapeProblem& other) { return other.pointer == problem.pointer; };
  if (kind == ShapeProblem::Kind::unknown &&
      std::any_of(problems().begin(), problems().end(), same)) {
    problem.kind = ShapeProblem::Kind::duplicate;
  }
  add(std::move(problem));
}

bool ItemReader::read_item(Event& event, Arena& arena) {
  if (pending_old_ > 0 && !gather(retry_bytes_)) return out_of_bytes(event);
  std::string_view bytes = rest();
  if (bytes.empty()) return out_of_bytes(event);
  // The end of the body ends no item: a list around it is still open.
  Canonical read =
      canonicalizer_.read(bytes.substr(0, kMaxRawItemBytes + 1), BufferEnd::more, arena);
  if (read.outcome == Outcome::syntax) return fail(offset_ + read.offset, event);
  if (read.outcome == Outcome::done) {
    retry_bytes_ = 0;
    if (read.offset > kMaxRawItemBytes) read.refusal = Refusal::too_large;
    read = outline_.stand_in(bytes, outline_levels_, canonicalizer_, arena, read);
    consume(read.offset);
    return item_event(event, read);
  }
  if (bytes.size() > kMaxRawItemBytes) {
    retry_bytes_ = 0;
    start_skipping(State::skip_item, State::after_item);
    outline_.reset(outline_levels_);
    return false;
  }
  if (final_) return out_of_bytes(event);
  retry_bytes_ = std::min(std::max(bytes.size() * 2, kFirstRetryBytes), kMaxRawItemBytes + 1);
  if (pending_old_ == 0) keep_rest();
  return false;
}

bool ItemReader::item_event(Event& event, const Canonical& read) {
  state_ = State::after_item;
  event.kind = Event::Kind::item;
  event.refusal = read.refusal;
  event.text = read.text;
  event.pointer = read.pointer;
  event.index = index_++;
  return true;
}

bool ItemReader::skip_item(Event& event, Arena& arena) {
  if (skip_value(event)) return true;
  if (state_ != State::after_item) return false;
  return item_event(event, outline_.read(canonicalizer_, arena, kTooLarge));
}

// Through the validator; a number at the end of the body is over only there.
bool ItemReader::skip_value(Event& event) {
  std::string_view bytes = rest();
  if (bytes.empty()) {
    if (!final_ || validator_.finish().outcome != Outcome::done) return out_of_bytes(event);
    state_ = behind_;
    return false;
  }
  Validator::Step step = validator_.feed(bytes);
  if (step.outcome == Outcome::syntax) return fail(offset_ + step.offset, event);
  if (state_ == State::skip_item) outline_.feed(bytes.substr(0, step.offset));
  consume(step.offset);
  if (step.outcome == Outcome::done) state_ = behind_;
  return false;
}

// Text that ends too early is wrong at its end.
bool ItemReader::out_of_bytes(Event& event) {
  if (!final_) {
    event.kind = Event::Kind::need_more;
    return true;
  }
  if (state_ != State::after_body) return fail(offset_ + rest().size(), event);
  state_ = State::end;
  event.kind = Event::Kind::end;
  return true;
}

bool ItemReader::fail(size_t offset, Event& event) {
  state_ = State::syntax;
  offset_ = offset;
  event.kind = Event::Kind::syntax;
  event.offset = offset;
  return true;
}

std::string_view ItemReader::rest() const {
  if (pending_old_ > 0) return std::string_view(pending_).substr(pending_used_);
  return chunk_.substr(chunk_used_);
}

void ItemReader::consume(size_t bytes) {
  offset_ += bytes;
  if (pending_old_ == 0) {
    chunk_used_ += bytes;
    return;
  }
  pending_used_ += bytes;
  if (pending_used_ < pending_old_) return;
  chunk_used_ = pending_used_ - pending_old_;
  pending_.clear();
  pending_used_ = pending_old_ = 0;
}

// Appends bytes of the chunk until `pending_` has `wanted` of them to read: true where it does, or
// there will be no more.
bool ItemReader::gather(size_t wanted) {
  size_t have = pending_.size() - pending_used_;
  if (have >= wanted) return true;
  size_t taken = std::min(wanted - have, chunk_.size() - chunk_used_);
  if (taken > 0) {
    pending_.erase(0, pending_used_);
    pending_old_ -= pending_used_;
    pending_used_ = 0;
    pending_.append(chunk_.substr(chunk_used_, taken));
    chunk_used_ += taken;
  }
  return have + taken >= wanted || final_;
}

void ItemReader::keep_rest() {
  pending_.assign(chunk_.substr(chunk_used_));
  pending_used_ = 0;
  pending_old_ = pending_.size();
  chunk_used_ = chunk_.size();
}

}  // namespace sm::json
