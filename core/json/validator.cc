#include "core/json/validator.h"

#include "core/json/simd.h"

namespace sm::json {
namespace {

bool is_space(uint8_t c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }
bool is_digit(uint8_t c) { return c >= '0' && c <= '9'; }
bool is_hex(uint8_t c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

}  // namespace

void Validator::reset() {
  state_ = State::value;
  done_ = false;
  reading_key_ = false;
  is_object_.clear();
  depth_ = 0;
}

Validator::Step Validator::feed(std::string_view part) {
  const char* p = part.data();
  const char* end = p + part.size();
  for (; p != end; ++p) {
    if (state_ == State::string) {
      p = skip_plain(p, end);
      if (p == end) break;
    }
    uint8_t byte = static_cast<uint8_t>(*p);
    if (depth_ == 0 && number_may_end() && !continues_number(byte)) {
      return {Outcome::done, static_cast<size_t>(p - part.data())};
    }
    if (!take(byte)) return {Outcome::syntax, static_cast<size_t>(p - part.data())};
    if (done_) return {Outcome::done, static_cast<size_t>(p - part.data()) + 1};
  }
  return {Outcome::need_more, part.size()};
}

Validator::Step Validator::finish() {
  bool over = depth_ == 0 && number_may_end();
  return {over ? Outcome::done : Outcome::syntax, 0};
}

bool Validator::go(State state) {
  state_ = state;
  return true;
}

bool Validator::take(uint8_t byte) {
  if (number_may_end() && !continues_number(byte)) state_ = State::after_value;
  // White space stands between tokens, but not before the value itself.
  bool between = state_ == State::value || state_ == State::first_element ||
                 state_ == State::first_key || state_ == State::next_key ||
                 state_ == State::colon || state_ == State::after_value;
  if (between && depth_ > 0 && is_space(byte)) return true;
  switch (state_) {
    case State::value:
      return start_value(byte);
    case State::first_element:
      if (byte != ']') return start_value(byte);
      close();
      return true;
    case State::first_key:
      if (byte != '}') return start_key(byte);
      close();
      return true;
    case State::next_key:
      return start_key(byte);
    case State::colon:
      return byte == ':' && go(State::value);
    case State::after_value:
      return after_value(byte);
    case State::string:
      return in_string(byte);
    case State::escape:
      return in_escape(byte);
    case State::hex:
      if (!is_hex(byte)) return false;
      if (--left_ == 0) state_ = State::string;
      return true;
    case State::utf8:
      return in_utf8(byte);
    case State::literal:
      return in_literal(byte);
    default:
      return in_number(byte);
  }
}

bool Validator::start_value(uint8_t byte) {
  switch (byte) {
    case '{':
      open(true);
      return go(State::first_key);
    case '[':
      open(false);
      return go(State::first_element);
    case '"':
      reading_key_ = false;
      return go(State::string);
    case '-':
      return go(State::minus);
    case '0':
      return go(State::zero_end);
    case 't':
      literal_ = "rue";
      return go(State::literal);
    case 'f':
      literal_ = "alse";
      return go(State::literal);
    case 'n':
      literal_ = "ull";
      return go(State::literal);
    default:
      return is_digit(byte) && go(State::integer_end);
  }
}

bool Validator::start_key(uint8_t byte) {
  reading_key_ = true;
  return byte == '"' && go(State::string);
}

bool Validator::after_value(uint8_t byte) {
  if (byte == ',') return go(top_is_object() ? State::next_key : State::value);
  uint8_t closing = top_is_object() ? '}' : ']';
  if (byte != closing) return false;
  close();
  return true;
}

bool Validator::in_string(uint8_t byte) {
  if (byte == '\\') return go(State::escape);
  if (byte != '"') return byte >= 0x80 && start_utf8(byte);
  if (reading_key_) return go(State::colon);
  value_over();
  return true;
}

bool Validator::in_escape(uint8_t byte) {
  switch (byte) {
    case 'u':
      left_ = 4;
      return go(State::hex);
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
      return go(State::string);
    default:
      return false;
  }
}

// As scan_utf8 (text.h), one byte at a time.
bool Validator::start_utf8(uint8_t byte) {
  low_ = 0x80, high_ = 0xBF;
  if (byte >= 0xC2 && byte <= 0xDF) {
    left_ = 1;
  } else if ((byte & 0xF0) == 0xE0) {
    left_ = 2;
    if (byte == 0xE0) low_ = 0xA0;
    if (byte == 0xED) high_ = 0x9F;
  } else if (byte >= 0xF0 && byte <= 0xF4) {
    left_ = 3;
    if (byte == 0xF0) low_ = 0x90;
    if (byte == 0xF4) high_ = 0x8F;
  } else {
    return false;
  }
  return go(State::utf8);
}

bool Validator::in_utf8(uint8_t byte) {
  if (byte < low_ || byte > high_) return false;
  low_ = 0x80, high_ = 0xBF;
  if (--left_ == 0) state_ = State::string;
  return true;
}

bool Validator::in_literal(uint8_t byte) {
  if (byte != static_cast<uint8_t>(*literal_)) return false;
  if (*++literal_ == 0) value_over();
  return true;
}

bool Validator::in_number(uint8_t byte) {
  switch (state_) {
    case State::minus:
      if (byte == '0') return go(State::zero_end);
      return is_digit(byte) && go(State::integer_end);
    case State::point:
      return is_digit(byte) && go(State::fraction_end);
    case State::exponent:
      if (byte == '+' || byte == '-') return go(State::exponent_sign);
      return is_digit(byte) && go(State::exponent_end);
    case State::exponent_sign:
      return is_digit(byte) && go(State::exponent_end);
    default:  // it may end here, but goes on
      if (byte == '.') return go(State::point);
      if (byte == 'e' || byte == 'E') return go(State::exponent);
      return true;
  }
}

bool Validator::number_may_end() const {
  return state_ == State::zero_end || state_ == State::integer_end ||
         state_ == State::fraction_end || state_ == State::exponent_end;
}

bool Validator::continues_number(uint8_t byte) const {
  if (is_digit(byte)) return state_ != State::zero_end;
  if (byte == 'e' || byte == 'E') return state_ != State::exponent_end;
  return byte == '.' && (state_ == State::zero_end || state_ == State::integer_end);
}

void Validator::open(bool is_object) {
  if (depth_ % 64 == 0) is_object_.push_back(0);
  uint64_t bit = uint64_t{1} << depth_ % 64;
  if (is_object) {
    is_object_.back() |= bit;
  } else {
    is_object_.back() &= ~bit;
  }
  ++depth_;
}

void Validator::close() {
  --depth_;
  if (depth_ % 64 == 0) is_object_.pop_back();
  value_over();
}

void Validator::value_over() {
  done_ = depth_ == 0;
  state_ = State::after_value;
}

bool Validator::top_is_object() const { return (is_object_.back() >> (depth_ - 1) % 64 & 1) != 0; }

}  // namespace sm::json
