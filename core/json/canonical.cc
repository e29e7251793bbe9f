#include "core/json/canonical.h"

#include <array>
#include <cstring>
#include <string>

#include "core/base/check.h"
#include "core/json/cursor.h"
#include "core/json/key_shapes.h"
#include "core/json/nodes.h"
#include "core/json/number.h"
#include "core/json/pointer.h"
#include "core/json/text.h"
#include "core/json/validator.h"

namespace sm::json {
namespace {

constexpr size_t kMaxBufferBytes = size_t{1} << 30;
// Behind texts that are made here, so that write_nodes may read on.
constexpr size_t kPadding = 16;
// What stands for a value that cannot be stored.
constexpr char kUnstorable[2 + kPadding] = "[]";
constexpr uint32_t kUnstorableSize = 2;

bool is_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

size_t common_prefix(std::string_view a, std::string_view b) {
  size_t same = 0;
  while (same < a.size() && same < b.size() && a[same] == b[same]) ++same;
  return same;
}

}  // namespace

// A read walks the text with a pointer that the steps hand on; null says that the walk is over, and
// `stop_` why.
class Canonicalizer::Impl {
 public:
  Impl(size_t max_bytes, size_t max_depth) : max_bytes_(max_bytes), max_depth_(max_depth) {
    SM_CHECK(max_depth <= kMaxBodyDepth);
  }

  Canonical read(std::string_view buffer, BufferEnd end, Arena& arena);

 private:
  enum class Stop : uint8_t { none, cut, bad, refused };

  struct Frame {
    size_t first_node;  // of its members
    const KeyShape*
        shape;         // what the keys are expected to be; null where nothing is expected any more
    uint64_t matched;  // bit i: the shape's key i was there
    uint32_t place;
    uint8_t next_key;  // the shape's key that is expected next
    bool is_object;
  };

  enum class Role : uint8_t { key, value };

  const char* walk(const char* p);
  const char* string(const char* p, Role role, const char*& text, uint32_t& size);
  const char* number(const char* p);
  const char* literal(const char* p);
  const char* too_deep(const char* p);
  const char* key(const char* p);
  const char* predicted_key(const char* p, Frame& frame);
  bool open(bool is_object);
  void close();
  void move_predicted(const Frame& frame, const Node* members, Node* sorted) const;
  void move_sorted(const Frame& frame, const Node* members, size_t count, Node* sorted);
  void learn(const Frame& frame, const Node* members, size_t count);
  bool push(const char* text, size_t size);
  bool add(size_t bytes);
  bool refuse_all(Refusal refusal);
  void refuse(Refusal refusal, std::string_view key);
  std::string_view key_view() const { return {key_, key_size_}; }
  const char* stop(Stop why, const char* at) {
    stop_ = why;
    at_ = at;
    return nullptr;
  }
  const char* scan_failed(Scan result, const char* at) {
    return result == Scan::cut ? stop(Stop::cut, end_) : stop(Stop::bad, at);
  }
  const char* skip_space(const char* p) const {
    while (p != end_ && is_space(*p)) ++p;
    return p;
  }

  Canonical finished(const char* p);
  Canonical stopped(BufferEnd end);
  Canonical skip(BufferEnd end);

  const size_t max_bytes_;
  const size_t max_depth_;
  const char* begin_ = nullptr;
  const char* end_ = nullptr;
  const char* at_ = nullptr;
  Arena* arena_ = nullptr;
  BufferEnd buffer_end_ = BufferEnd::more;
  Stop stop_ = Stop::none;
  Refusal refusal_ = Refusal::none;
  std::string pointer_;  // of what was refused
  size_t bytes_ = 0;     // of the canonical text, as far as it is known
  size_t values_ = 0;
  size_t depth_ = 0;
  const char* key_ = nullptr;  // of the member whose value is next
  uint32_t key_size_ = 0;
  std::array<Frame, kMaxBodyDepth> frames_;
  NodeBuffer open_nodes_;  // of the containers that are open, innermost last
  NodeBuffer tape_;        // of those that have ended
  MemberSorter sorter_;
  KeyShapes shapes_;
  Validator validator_;
};

Canonical Canonicalizer::Impl::read(std::string_view buffer, BufferEnd end, Arena& arena) {
  SM_CHECK(buffer.size() <= kMaxBufferBytes);
  begin_ = buffer.data();
  end_ = begin_ + buffer.size();
  arena_ = &arena;
  buffer_end_ = end;
  stop_ = Stop::none;
  refusal_ = Refusal::none;
  bytes_ = 0;
  values_ = 0;
  depth_ = 0;
  key_ = nullptr;
  key_size_ = 0;
  open_nodes_.shrink(0);
  tape_.shrink(0);
  Arena::Mark mark = arena.mark();
  const char* p = walk(begin_);
  if (p != nullptr) return finished(p);
  arena.release(mark);
  return stopped(end);
}

const char* Canonicalizer::Impl::walk(const char* p) {
value:
  if (p == end_) return stop(Stop::cut, p);
  if (*p == '"') {
    const char* text;
    uint32_t size;
    if ((p = string(p, Role::value, text, size)) == nullptr || !add(size)) return nullptr;
    if (!push(text, size)) return nullptr;
  } else if (depth_ == max_depth_ && (*p == '{' || *p == '[')) {
    if ((p = too_deep(p)) == nullptr) return nullptr;
  } else if (*p == '{') {
    if (!open(true)) return nullptr;
    p = skip_space(p + 1);
    if (p == end_) return stop(Stop::cut, p);
    if (*p != '}') goto key;
    close();
    ++p;
  } else if (*p == '[') {
    if (!open(false)) return nullptr;
    p = skip_space(p + 1);
    if (p == end_) return stop(Stop::cut, p);
    if (*p != ']') goto value;
    close();
    ++p;
  } else {
    p = *p == '-' || (*p >= '0' && *p <= '9') ? number(p) : literal(p);
    if (p == nullptr) return nullptr;
  }
after:
  if (depth_ == 0) return p;
  p = skip_space(p);
  if (p == end_) return stop(Stop::cut, p);
  if (*p == ',') {
    if (!add(1)) return nullptr;
    p = skip_space(p + 1);
    if (frames_[depth_ - 1].is_object) goto key;
    goto value;
  }
  if (*p != (frames_[depth_ - 1].is_object ? '}' : ']')) return stop(Stop::bad, p);
  close();
  ++p;
  goto after;
key:
  if ((p = key(p)) == nullptr) return nullptr;
  p = skip_space(p);
  if (p == end_) return stop(Stop::cut, p);
  if (*p != ':') return stop(Stop::bad, p);
  p = skip_space(p + 1);
  goto value;
}

// A string from its opening quote on: its canonical text.
const char* Canonicalizer::Impl::string(const char* p, Role role, const char*& text,
                                        uint32_t& size) {
  StringScan scan = scan_string(p + 1, end_);
  if (scan.result != Scan::ok) return scan_failed(scan.result, scan.at);
  text = p;
  size = static_cast<uint32_t>(scan.at - p);
  if (!scan.rewrite) return scan.at;
  char* out = arena_->reserve(size + kPadding);
  Rewritten rewritten = rewrite_string(p + 1, scan.at - 1, out + 1);
  size = static_cast<uint32_t>(rewritten.size + 2);
  out[0] = out[size - 1] = '"';
  arena_->commit(size + kPadding);
  text = out;
  if (!rewritten.lone_surrogate) return scan.at;
  refuse(Refusal::lone_surrogate, role == Role::key ? std::string_view(text, size) : key_view());
  if (role == Role::value) {
    text = kUnstorable;
    size = kUnstorableSize;
  }
  return scan.at;
}

const char* Canonicalizer::Impl::number(const char* p) {
  NumberScan scan = scan_number(p, end_);
  if (scan.result == Scan::bad) return stop(Stop::bad, scan.at);
  if (scan.result == Scan::cut &&
      !(scan.may_end && depth_ == 0 && buffer_end_ == BufferEnd::final)) {
    return stop(Stop::cut, end_);
  }
  size_t size = static_cast<size_t>(scan.at - p);
  const char* text = p;
  if (!scan.canonical) {
    char* out = arena_->reserve(kMaxNumberText + kPadding);
    size = write_number({p, size}, out);
    arena_->commit(size + kPadding);
    text = out;
    if (size == 0) {
      refuse(Refusal::not_finite, key_view());
      text = kUnstorable;
      size = kUnstorableSize;
    }
  }
  return add(size) && push(text, size) ? scan.at : nullptr;
}

// A container beyond the last level is only checked.
const char* Canonicalizer::Impl::too_deep(const char* p) {
  validator_.reset();
  Validator::Step step = validator_.feed({p, static_cast<size_t>(end_ - p)});
  if (step.outcome == Outcome::need_more) return stop(Stop::cut, end_);
  if (step.outcome == Outcome::syntax) return stop(Stop::bad, p + step.offset);
  if (refusal_ != Refusal::too_deep) {
    refusal_ = Refusal::none;
    refuse(Refusal::too_deep, key_view());
  }
  return add(kUnstorableSize) && push(kUnstorable, kUnstorableSize) ? p + step.offset : nullptr;
}

const char* Canonicalizer::Impl::literal(const char* p) {
  const char* word = *p == 't' ? "true" : *p == 'f' ? "false" : *p == 'n' ? "null" : nullptr;
  if (word == nullptr) return stop(Stop::bad, p);
  size_t size = 0;
  for (; word[size] != 0; ++size) {
    if (p + size == end_) return stop(Stop::cut, end_);
    if (p[size] != word[size]) return stop(Stop::bad, p + size);
  }
  return add(size) && push(p, size) ? p + size : nullptr;
}

const char* Canonicalizer::Impl::key(const char* p) {
  Frame& frame = frames_[depth_ - 1];
  if (frame.shape != nullptr) {
    const char* behind = predicted_key(p, frame);
    if (behind != nullptr) return add(key_size_ + 1) ? behind : nullptr;
  }
  if (p == end_) return stop(Stop::cut, p);
  if (*p != '"') return stop(Stop::bad, p);
  p = string(p, Role::key, key_, key_size_);
  return p != nullptr && add(key_size_ + 1) ? p : nullptr;
}

// The key at `p` where it is the one that the shape expects, or one of the next two; else the shape
// is given up.
const char* Canonicalizer::Impl::predicted_key(const char* p, Frame& frame) {
  constexpr unsigned kTries = 3;
  const KeyShape& shape = *frame.shape;
  size_t room = static_cast<size_t>(end_ - p);
  for (unsigned i = frame.next_key; i < shape.count && i < frame.next_key + kTries; ++i) {
    if (!shape.matches(i, p, room)) continue;
    key_ = p;
    key_size_ = shape.size[i];
    frame.matched |= uint64_t{1} << i;
    frame.next_key = static_cast<uint8_t>(i + 1);
    return p + key_size_;
  }
  frame.shape = nullptr;
  return nullptr;
}

bool Canonicalizer::Impl::open(bool is_object) {
  if (!add(2)) return false;
  uint32_t place = KeyShapes::root_place();
  if (depth_ > 0) {
    const Frame& outer = frames_[depth_ - 1];
    // A key of the shape gives the same place whatever members are left out before it.
    size_t index = outer.shape != nullptr ? outer.next_key : open_nodes_.size() - outer.first_node;
    place = outer.is_object ? KeyShapes::place_of_member(outer.place, index)
                            : KeyShapes::place_of_element(outer.place);
  }
  // The node of the container comes first: its key is known now, its place on the tape when it
  // ends.
  if (!push(nullptr, 0)) return false;
  frames_[depth_++] = {open_nodes_.size(), is_object ? shapes_.at(place) : nullptr, 0, place, 0,
                       is_object};
  return true;
}

void Canonicalizer::Impl::close() {
  const Frame& frame = frames_[--depth_];
  size_t count = open_nodes_.size() - frame.first_node;
  size_t header = tape_.size();
  Node* place = tape_.extend(count + 1);
  *place++ = container_header(count, frame.is_object);
  if (count > 0) {
    const Node* nodes = &open_nodes_[frame.first_node];
    if (!frame.is_object) {
      std::memcpy(place, nodes, count * sizeof(Node));
    } else if (frame.shape != nullptr) {
      move_predicted(frame, nodes, place);
    } else {
      move_sorted(frame, nodes, count, place);
    }
  }
  open_nodes_.shrink(frame.first_node);
  open_nodes_[frame.first_node - 1].size = static_cast<uint32_t>(header);
}

// Every key followed the shape: the i-th key that was there is the i-th member.
void Canonicalizer::Impl::move_predicted(const Frame& frame, const Node* members,
                                         Node* sorted) const {
  const KeyShape& shape = *frame.shape;
  uint64_t all = shape.count == 64 ? ~uint64_t{0} : (uint64_t{1} << shape.count) - 1;
  if (frame.matched == all) {
    for (size_t i = 0; i < shape.count; ++i) sorted[i] = members[shape.sorted[i]];
    return;
  }
  for (size_t i = 0; i < shape.count; ++i) {
    uint64_t bit = uint64_t{1} << shape.sorted[i];
    if ((frame.matched & bit) == 0) continue;
    *sorted++ = members[__builtin_popcountll(frame.matched & (bit - 1))];
  }
}

void Canonicalizer::Impl::move_sorted(const Frame& frame, const Node* members, size_t count,
                                      Node* sorted) {
  if (sorter_.sort(members, count)) {
    size_t twice = 1;
    while (members[sorter_.order(twice)].key_view() != members[sorter_.order(twice - 1)].key_view())
      ++twice;
    ++depth_;  // The container is still on the way to its member.
    refuse(Refusal::duplicate_key, members[sorter_.order(twice)].key_view());
    --depth_;
  } else {
    learn(frame, members, count);
  }
  for (size_t i = 0; i < count; ++i) sorted[i] = members[sorter_.order(i)];
}

void Canonicalizer::Impl::learn(const Frame& frame, const Node* members, size_t count) {
  if (count > KeyShape::kMaxKeys) return;
  // An object around this one may be reading its keys by the shape of the same slot.
  for (size_t i = 0; i < depth_; ++i) {
    if (frames_[i].shape != nullptr && frames_[i].shape == shapes_.at(frame.place)) return;
  }
  KeyShape& shape = shapes_.renew(frame.place);
  size_t used = 0;
  for (size_t i = 0; i < count; ++i) {
    shape.sorted[i] = static_cast<uint8_t>(sorter_.order(i));
    if (shape.add(members[i].key_view(), used)) continue;
    shape.count = 0;
    return;
  }
}

bool Canonicalizer::Impl::push(const char* text, size_t size) {
  if (++values_ > kMaxValues) return refuse_all(Refusal::too_many_values);
  *open_nodes_.extend(1) = {key_, text, key_size_, static_cast<uint32_t>(size)};
  key_ = nullptr;
  key_size_ = 0;
  return true;
}

// The first refusal counts. `key` is that of the member at hand in the innermost object, canonical.
void Canonicalizer::Impl::refuse(Refusal refusal, std::string_view key) {
  if (refusal_ != Refusal::none) return;
  refusal_ = refusal;
  pointer_.clear();
  // An open container's own node stands before its members, so the way to it can be read off.
  for (size_t i = 0; i < depth_; ++i) {
    const Frame& frame = frames_[i];
    bool is_last = i + 1 == depth_;
    size_t node = is_last ? open_nodes_.size() : frames_[i + 1].first_node - 1;
    std::string_view member = is_last ? key : open_nodes_[node].key_view();
    std::string step;
    append_token(step, frame.is_object ? unquote(member) : std::to_string(node - frame.first_node));
    if (pointer_.size() + step.size() > kMaxFaultPointerBytes) return;
    pointer_ += step;
  }
}

bool Canonicalizer::Impl::add(size_t bytes) {
  bytes_ += bytes;
  return bytes_ <= max_bytes_ || refuse_all(Refusal::too_large);
}

// There will be no text: the rest is only checked.
bool Canonicalizer::Impl::refuse_all(Refusal refusal) {
  refusal_ = refusal;
  stop(Stop::refused, nullptr);
  return false;
}

Canonical Canonicalizer::Impl::finished(const char* p) {
  std::string_view pointer;
  if (refusal_ != Refusal::none) pointer = arena_->copy(pointer_);
  size_t size = bytes_;
  char* out = arena_->reserve(size + kPadding);
  bool roomy = end_ - p >= static_cast<ptrdiff_t>(kPadding);
  char* end = write_nodes(open_nodes_[0], tape_, roomy, out);
  SM_CHECK(static_cast<size_t>(end - out) == size);
  arena_->commit(size);
  return {Outcome::done, refusal_, static_cast<size_t>(p - begin_), {out, size}, pointer};
}

Canonical Canonicalizer::Impl::stopped(BufferEnd end) {
  if (stop_ == Stop::refused) return skip(end);
  if (stop_ == Stop::cut && end == BufferEnd::more) return {};
  SM_CHECK(at_ != nullptr);
  return {Outcome::syntax, Refusal::none, static_cast<size_t>(at_ - begin_), {}, {}};
}

// What leaves no text is only checked, again from its start.
Canonical Canonicalizer::Impl::skip(BufferEnd end) {
  validator_.reset();
  size_t size = static_cast<size_t>(end_ - begin_);
  Validator::Step step = validator_.feed({begin_, size});
  if (step.outcome == Outcome::need_more && end == BufferEnd::final) {
    step = validator_.finish();
    step.offset = size;
  }
  if (step.outcome == Outcome::need_more) return {};
  if (step.outcome == Outcome::syntax) return {Outcome::syntax, Refusal::none, step.offset, {}, {}};
  return {Outcome::done, refusal_, step.offset, {}, {}};
}

Canonicalizer::Canonicalizer(size_t max_bytes, size_t max_depth)
    : impl_(std::make_unique<Impl>(max_bytes, max_depth)) {}
Canonicalizer::~Canonicalizer() = default;

Canonical Canonicalizer::read(std::string_view buffer, BufferEnd end, Arena& arena) {
  return impl_->read(buffer, end, arena);
}

Canonical canonicalize(std::string_view text, Arena& arena, size_t max_bytes, size_t max_depth) {
  size_t at = common_prefix(text, kByteOrderMark);
  if (at > 0 && at < kByteOrderMark.size()) return {Outcome::syntax, Refusal::none, at, {}, {}};
  while (at < text.size() && is_space(text[at])) ++at;
  Canonicalizer canonicalizer(max_bytes, max_depth);
  Canonical result = canonicalizer.read(text.substr(at), BufferEnd::final, arena);
  result.offset += at;
  if (result.outcome == Outcome::syntax) return result;
  size_t behind = result.offset;
  while (behind < text.size() && is_space(text[behind])) ++behind;
  if (behind < text.size()) return {Outcome::syntax, Refusal::none, behind, {}, {}};
  result.offset = behind;
  return result;
}

std::string_view refusal_name(Refusal refusal) {
  switch (refusal) {
    case Refusal::none:
      return "none";
    case Refusal::lone_surrogate:
      return "lone_surrogate";
    case Refusal::duplicate_key:
      return "duplicate_key";
    case Refusal::not_finite:
      return "not_finite";
    case Refusal::too_deep:
      return "too_deep";
    case Refusal::too_large:
      return "too_large";
    case Refusal::too_many_values:
      return "too_many_values";
    case Refusal::malformed:
      return "malformed";
  }
  return "none";
}

}  // namespace sm::json
