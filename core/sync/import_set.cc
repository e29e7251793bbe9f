#include "core/sync/import_set.h"

#include <cstring>

#include "core/base/limits.h"
#include "core/json/cursor.h"

namespace sm::sync {
namespace {

std::string_view refusal_detail(json::Refusal refusal) {
  switch (refusal) {
    case json::Refusal::lone_surrogate:
      return "it contains half of a surrogate pair";
    case json::Refusal::duplicate_key:
      return "it names a member twice";
    case json::Refusal::not_finite:
      return "it contains a number beyond the finite doubles";
    case json::Refusal::too_deep:
      return "it is nested deeper than 128 levels";
    default:
      return "it is larger than 512 KiB in canonical form";
  }
}

}  // namespace

void ImportSet::add(const json::Event& event, Arena& arena, Arena::Mark before) {
  ++total_;
  bool is_object = !event.text.empty() && json::type_of(event.text) == json::ValueType::object;
  Identity identity = is_object ? identity_of(event.text, id_field_) : Identity{};
  bool too_large = event.text.size() > json::kMaxPropertyBytes;
  json::Refusal refusal = too_large ? json::Refusal::too_large : event.refusal;
  if (refusal != json::Refusal::none) {
    auto external_id =
        identity.external_id.empty() ? std::nullopt : std::optional(identity.external_id);
    arena.release(before);
    return fail(event.index, std::move(external_id), std::string(refusal_detail(refusal)));
  }
  if (!is_object || identity.external_id.empty()) {
    arena.release(before);
    return fail(event.index, std::nullopt,
                is_object ? std::string(identity.problem) : "it is not an object");
  }
  if ((distinct_ + 1) * 2 > table_.size()) grow_table();
  uint32_t& slot = slot_of(identity.external_id);
  std::string_view external_id;
  if (slot == 0) {
    ++distinct_;
    external_id = ids_.copy(identity.external_id);
  } else {
    external_id = items_[slot - 1].external_id;
    supersede(items_[slot - 1]);
  }
  items_.push_back({external_id, event.text, {}, static_cast<uint32_t>(event.index)});
  lanes_.push(event.text, &items_.back().hash);
  slot = static_cast<uint32_t>(items_.size());
  data_bytes_ += event.text.size();
}

void ImportSet::supersede(ImportItem& earlier) {
  earlier.state = ImportItem::State::superseded;
  fail(earlier.index, std::string(earlier.external_id),
       "it is a duplicate: a later item of this import has the same identity");
}

void ImportSet::fail(size_t index, std::optional<std::string> external_id, std::string detail) {
  ++failed_;
  errors_.emplace(index, ImportError{std::move(external_id), std::move(detail)});
  if (errors_.size() > kMaxImportErrors) errors_.erase(std::prev(errors_.end()));
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
