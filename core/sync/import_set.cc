#include "core/sync/import_set.h"

#include <algorithm>
#include <cstring>

#include "core/base/limits.h"
#include "core/json/cursor.h"
#include "core/json/text.h"

namespace sm::sync {
namespace {

// What an item takes in a pack (store/pack.h) beside its text: hash, place, quotation marks.
constexpr size_t kDataPackItemBytes = 64 + 8 + 6;
constexpr size_t kIdentityPackItemBytes = 64 + 8 + 3;

// `at` is the pointer of the member at fault, from the item on; the item itself has none.
std::string refusal_detail(json::Refusal refusal, const json::Event& event) {
  std::string at = event.pointer.empty() ? std::string() : ", at " + std::string(event.pointer);
  switch (refusal) {
    case json::Refusal::lone_surrogate:
      return "it contains half of a surrogate pair" + at;
    case json::Refusal::duplicate_key:
      return "it names a member twice" + at;
    case json::Refusal::not_finite:
      return "it contains a number beyond the finite doubles" + at;
    case json::Refusal::too_deep:
      return "it is nested deeper than 128 levels" + at;
    case json::Refusal::malformed:
      return "it is no JSON: the byte at offset " + std::to_string(event.offset) +
             " of the body cannot continue it";
    case json::Refusal::too_many_values:
      return "it has more than 50,000 values, those in its lists and objects counted";
    case json::Refusal::too_large:
    case json::Refusal::none:
      break;
  }
  return "it is larger than 512 KiB in canonical form, or than 4 MiB as it was sent";
}

}  // namespace

size_t ImportSet::identity_size(std::string_view external_id) {
  auto quotes = std::count(external_id.begin(), external_id.end(), '"');
  return kIdentityPackItemBytes + json::ascii_size(external_id) + static_cast<size_t>(quotes);
}

void ImportSet::add(const json::Event& event, Arena& arena, Arena::Mark before) {
  ++total_;
  bool is_refused = event.refusal != json::Refusal::none;
  bool is_object = !event.text.empty() && json::type_of(event.text) == json::ValueType::object;
  Identity identity;
  if (is_object) {
    identity = is_refused ? identity_of_refused(event.text, id_field_)
                          : identity_of(event.text, id_field_);
  }
  if (!is_refused && !identity.external_id.empty()) {
    return keep(identity.external_id, event.text, event.index);
  }
  std::string detail;
  if (is_told(event.index)) {
    detail = is_refused  ? refusal_detail(event.refusal, event)
             : is_object ? problem_of(identity, id_field_)
                         : "it is not an object";
    if (is_refused && is_object && identity.external_id.empty()) {
      detail += "; " + problem_of(identity, id_field_);
    }
  }
  arena.release(before);
  refuse(event, identity.external_id, std::move(detail));
}

void ImportSet::keep(std::string_view identity, std::string_view data, size_t index) {
  if ((distinct_ + 1) * 2 > table_.size()) grow_table();
  uint32_t& slot = slot_of(identity);
  std::string_view external_id;
  if (slot == 0) {
    ++distinct_;
    external_id = ids_.copy(identity);
  } else {
    ImportItem& earlier = items_[slot - 1];
    external_id = earlier.external_id;
    earlier.superseded = true;
    supersede_earlier(earlier.index, external_id);
  }
  items_.push_back({external_id, data, {}, static_cast<uint32_t>(index)});
  lanes_.push(data, &items_.back().hash);
  slot = static_cast<uint32_t>(items_.size());
  data_bytes_ += kDataPackItemBytes + json::ascii_size(data);
  identity_bytes_ += identity_size(external_id);
}

bool ImportSet::identify_again(IdField id_field, Arena& arena) {
  if (!all_at_hand_) return false;
  lanes_.flush();
  std::deque<ImportItem> items = std::move(items_);
  forget_part();
  errors_.clear();
  total_ = failed_ = 0;
  nameless_ = std::nullopt;
  id_field_ = std::move(id_field);
  for (const ImportItem& item : items) {
    json::Event event;
    event.kind = json::Event::Kind::item;
    event.index = item.index;
    event.text = item.data;
    add(event, arena, arena.mark());
  }
  lanes_.flush();
  return true;
}

void ImportSet::refuse(const json::Event& event, std::string_view external_id, std::string detail) {
  all_at_hand_ = false;
  if (external_id.empty()) {
    if (!nameless_) nameless_ = event.index;
    return fail(event.index, std::nullopt, std::move(detail));
  }
  if (mode_ == ImportMode::full) {
    failed_ids_.push_back(ids_.copy(external_id));
    identity_bytes_ += identity_size(external_id);
  }
  fail(event.index, std::string(external_id), std::move(detail));
}

void ImportSet::supersede_earlier(size_t index, std::string_view external_id) {
  std::string detail;
  if (is_told(index)) {
    detail = "it is a duplicate: a later item of this import has the same identity";
  }
  fail(index, std::string(external_id), std::move(detail));
}

void ImportSet::fail(size_t index, std::optional<std::string> external_id, std::string detail) {
  ++failed_;
  if (!is_told(index)) return;
  errors_.emplace(index, ImportError{std::move(external_id), std::move(detail)});
  if (errors_.size() > kMaxImportErrors) errors_.erase(std::prev(errors_.end()));
}

// Whether the item at `index`, if it failed, would be among the first errors.
bool ImportSet::is_told(size_t index) const {
  return errors_.size() < kMaxImportErrors || index < errors_.rbegin()->first;
}

bool ImportSet::part_full(size_t limit) const {
  constexpr size_t kLargestIdentity = kIdentityPackItemBytes + kMaxIdentityBytes * 6;
  // A full import sends its identities twice: those that differ, and those that are present.
  size_t bytes = data_bytes_ + identity_bytes_ * (mode_ == ImportMode::full ? 2 : 1);
  return items_.size() + failed_ids_.size() >= kIdentityPackItems ||
         identity_bytes_ + kLargestIdentity > kIdentityPackBytes || bytes >= limit;
}

void ImportSet::next_part(Arena& arena) {
  all_at_hand_ = false;
  forget_part();
  arena.release_all();
}

void ImportSet::forget_part() {
  items_.clear();
  failed_ids_.clear();
  std::fill(table_.begin(), table_.end(), 0);
  distinct_ = 0;
  identity_bytes_ = 0;
  data_bytes_ = 0;
  ids_.release_all();
}

uint32_t& ImportSet::slot_of(std::string_view external_id) {
  size_t mask = table_.size() - 1;
  size_t at = hash_of(external_id) & mask;
  while (table_[at] != 0 && items_[table_[at] - 1].external_id != external_id) at = (at + 1) & mask;
  return table_[at];
}

void ImportSet::grow_table() {
  constexpr size_t kFirstSlots = 1024;
  std::vector<uint32_t> old(table_.empty() ? kFirstSlots : table_.size() * 2);
  old.swap(table_);
  for (uint32_t place : old) {
    if (place != 0) slot_of(items_[place - 1].external_id) = place;
  }
}

uint64_t ImportSet::hash_of(std::string_view external_id) const {
  // Multiply and fold, 8 bytes a step, from a secret seed.
  constexpr uint64_t kOdd = 0x9E3779B97F4A7C15;
  uint64_t hash = seed_ ^ external_id.size() * kOdd;
  while (!external_id.empty()) {
    uint64_t word = 0;
    size_t bytes = external_id.size() < 8 ? external_id.size() : 8;
    std::memcpy(&word, external_id.data(), bytes);
    hash = (hash ^ word ^ seed_ >> 7) * kOdd;
    hash ^= hash >> 29;
    external_id.remove_prefix(bytes);
  }
  return hash ^ hash >> 32;
}

}  // namespace sm::sync
