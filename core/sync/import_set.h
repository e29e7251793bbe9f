// The items of one import as they are read: identities, hashes and data, each identity once.
//
// A small import is one part. A large one is taken up part by part (`next_part`), so that memory
// stays bounded: what was counted and listed as failed stays to the end. The last of two equal
// identities counts; the earlier one becomes an error.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/arena.h"
#include "core/base/sha256.h"
#include "core/json/item_stream.h"
#include "core/sync/identity.h"

namespace sm::sync {

struct ImportError {
  std::optional<std::string> external_id;
  std::string detail;
};

struct ImportItem {
  std::string_view external_id;
  std::string_view data;  // canonical
  Sha256Digest hash;
  uint32_t index;           // place in the import
  bool superseded = false;  // by a later one with the same identity
};

// Whether properties that an import lacks stay as they are, or are removed.
enum class ImportMode { upsert, full };

class ImportSet {
 public:
  // `seed` is random: it keeps a client from choosing identities that collide in the table.
  ImportSet(IdField id_field, ImportMode mode, uint64_t seed)
      : id_field_(std::move(id_field)), mode_(mode), seed_(seed) {}

  // Takes an item event whose text lies at the end of `arena`, from `before` on. What is not kept
  // of it is released.
  void add(const json::Event& event, Arena& arena, Arena::Mark before);

  // The item at `index`, of an earlier part, has an identity that came again.
  void supersede_earlier(size_t index, std::string_view external_id);

  // Works the identities out anew, where `id_field` is another one now. Nothing where that cannot
  // be done, since items are not at hand any more: those of an earlier part, or that failed.
  bool identify_again(IdField id_field, Arena& arena);

  // Ends the part that is open: all its hashes are there.
  void finish_hashes() { lanes_.flush(); }

  // The open part has as many identities as one parameter holds, or so many bytes as it travels.
  bool part_full(size_t limit) const;

  // Forgets the open part, whose data lay in `arena`.
  void next_part(Arena& arena);

  // Those of the open part.
  const std::deque<ImportItem>& items() const { return items_; }
  // Identities of items of the open part that failed: in a full import they count as present.
  const std::vector<std::string_view>& failed_ids() const { return failed_ids_; }
  // The first item without an identity: a full import that has one removes nothing.
  std::optional<size_t> nameless() const { return nameless_; }

  size_t total() const { return total_; }
  size_t failed() const { return failed_; }
  // Every item failed, one at least.
  bool all_failed() const { return total_ > 0 && failed_ == total_; }
  // The first errors by index.
  const std::map<size_t, ImportError>& errors() const { return errors_; }

 private:
  static size_t identity_size(std::string_view external_id);
  void keep(std::string_view external_id, std::string_view data, size_t index);
  void refuse(const json::Event& event, std::string_view external_id, std::string detail);
  void fail(size_t index, std::optional<std::string> external_id, std::string detail);
  bool is_told(size_t index) const;
  void forget_part();
  uint32_t& slot_of(std::string_view external_id);
  void grow_table();
  uint64_t hash_of(std::string_view external_id) const;

  IdField id_field_;
  ImportMode mode_;
  uint64_t seed_;
  Sha256Lanes lanes_;
  std::map<size_t, ImportError> errors_;
  size_t total_ = 0;
  size_t failed_ = 0;
  std::optional<size_t> nameless_;
  bool all_at_hand_ = true;  // no item was refused, and no part was closed

  // The open part.
  Arena ids_;
  std::deque<ImportItem> items_;
  std::vector<std::string_view> failed_ids_;
  std::vector<uint32_t>
      table_;  // open addressing: place in items_ + 1 of the last with an identity, 0 where free
  size_t distinct_ = 0;
  size_t identity_bytes_ = 0;
  size_t data_bytes_ = 0;
};

}  // namespace sm::sync
