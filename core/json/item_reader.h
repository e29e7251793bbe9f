// Reads the body of an import, `{"data":[item, …]}`, while it arrives, and hands out one item after
// the other.
//
// An item is canonicalised straight from the chunk that holds it, and only one that straddles
// chunks is copied. A copied item that is still not complete is tried again when its bytes have
// doubled, so the work stays linear for any item and any chunk size.
//
// Shape and syntax are apart: a body of the wrong shape (not an object, no list under `data`,
// unknown members) is still read to its end, since bytes that are no JSON go before it (400 before
// 422). Problems of shape are collected and complete when `end` comes. Items keep coming whatever
// the problems are.
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

// What is kept of a member's name at the top, in raw text: longer ones are unknown members, their
// pointer cut off.
inline constexpr size_t kMaxTopKeyBytes = 1024;

class ItemReader final : public ItemStream {
 public:
  // The outline of an item that is refused keeps values within so many containers.
  explicit ItemReader(size_t outline_levels = 1);

  void feed(std::string_view chunk) override;
  void finish() override;
  Event next(Arena& arena) override;

 private:
  enum class State : uint8_t {
    mark,
    body,
    first_key,
    next_key,
    key,
    colon,
    member_value,
    after_member,
    first_item,
    next_item,
    item,
    skip_item,
    after_item,
    skip_value,
    after_body,
    end,
    syntax,
  };

  // Each does one step and says whether it made an event.
  bool advance(Event& event, Arena& arena);
  bool read_mark(Event& event);
  bool read_structure(Event& event);
  bool read_key(Event& event);
  bool read_item(Event& event, Arena& arena);
  bool skip_item(Event& event, Arena& arena);
  bool skip_value(Event& event);

  bool structure(char byte, Event& event);
  bool take(State state);
  void start_value(char byte);
  void start_skipping(State skipping, State behind);
  void key_over();
  void object_over();
  void add_problem(std::string_view name, ShapeProblem::Kind kind);
  bool item_event(Event& event, const Canonical& read);
  bool out_of_bytes(Event& event);
  bool fail(size_t offset, Event& event);

  // Bytes that are at hand in one piece; empty where there are none.
  std::string_view rest() const;
  void consume(size_t bytes);
  bool gather(size_t wanted);
  void keep_rest();

  size_t outline_levels_;
  Canonicalizer canonicalizer_;
  Validator validator_;
  Outline outline_;  // of an item that leaves no text
  State state_ = State::mark;
  State behind_ = State::after_body;  // what follows the value that is skipped
  bool final_ = false;
  bool seen_data_ = false;
  bool is_list_member_ = false;  // the member that is read is the first `data`
  size_t index_ = 0;
  size_t offset_ = 0;  // of the next byte, from the body's start
  std::string key_;    // the member's name as it is written, cut off behind kMaxTopKeyBytes

  // Bytes come from `pending_` while it holds any that were there before `chunk_`, else from
  // `chunk_`. What follows them in `pending_` is a copy of the beginning of `chunk_`.
  std::string_view chunk_;
  size_t chunk_used_ = 0;  // bytes of chunk_ that were read, or copied
  std::string pending_;
  size_t pending_used_ = 0;
  size_t pending_old_ =
      0;  // bytes of pending_ that are older than chunk_; 0 where pending_ is not in use
  size_t retry_bytes_ =
      0;  // an item that straddles is tried again when so many bytes of it are there
};

}  // namespace sm::json
