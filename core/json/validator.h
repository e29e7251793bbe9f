// A pushdown automaton that checks one JSON value (strict RFC 8259) and keeps nothing of it but
// where it stands.
//
// It can stop and go on at any byte, so values of any size pass through in chunks of any size. The
// only memory that grows is one bit for each open container: object or list. Depth is not limited
// here: a million brackets take 125 KB.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/json/canonical.h"

namespace sm::json {

class Validator {
 public:
  struct Step {
    Outcome outcome;
    // done: the bytes of this part that belong to the value (0 where it ended with the part before:
    // a number is over only when something else follows). need_more: all of them. syntax: the first
    // that cannot continue a JSON text.
    size_t offset;
  };

  // Starts over: the next byte is the first of a value, white space not allowed before it.
  void reset();

  // Goes on with the next bytes. After done or syntax only `reset` may follow.
  Step feed(std::string_view part);

  // There are no more bytes: done for a complete number, else syntax at offset 0.
  Step finish();

 private:
  // What the next byte has to be. `*_end` states are those in which a number may be over.
  enum class State : uint8_t {
    value,
    first_element,
    first_key,
    next_key,
    colon,
    after_value,
    string,
    escape,
    hex,
    utf8,
    minus,
    zero_end,
    integer_end,
    point,
    fraction_end,
    exponent,
    exponent_sign,
    exponent_end,
    literal,
  };

  bool take(uint8_t byte);
  bool start_value(uint8_t byte);
  bool start_key(uint8_t byte);
  bool after_value(uint8_t byte);
  bool in_string(uint8_t byte);
  bool in_escape(uint8_t byte);
  bool start_utf8(uint8_t byte);
  bool in_utf8(uint8_t byte);
  bool in_number(uint8_t byte);
  bool in_literal(uint8_t byte);
  bool number_may_end() const;
  bool continues_number(uint8_t byte) const;
  bool go(State state);
  void open(bool is_object);
  void close();
  void value_over();
  bool top_is_object() const;

  State state_ = State::value;
  bool done_ = false;
  bool reading_key_ = false;
  uint8_t left_ = 0;  // hex digits, or bytes of a UTF-8 sequence, that are still to come
  uint8_t low_ = 0x80, high_ = 0xBF;  // what the next continuation byte may be
  const char* literal_ = nullptr;     // the rest of true, false or null
  std::vector<uint64_t> is_object_;   // one bit for each open container
  size_t depth_ = 0;
};

}  // namespace sm::json
