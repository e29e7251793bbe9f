// The items of one import as they are read: identities, hashes and data, each identity once.
//
// Data is held only until its part is classified and sent (`release_data`); identities stay to the
// end, since a later item may have the same one. The last of two equal identities counts; the
// earlier one becomes an error.
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
#include "core/json/item_reader.h"
#include "core/sync/identity.h"

namespace sm::sync {

struct ImportError {
  std::optional<std::string> external_id;
  std::string detail;
};

struct ImportItem {
  enum class State : uint8_t { undecided, unchanged, fresh, changed, superseded };

  std::string_view external_id;
  std::string_view data;  // canonical; empty once it was released
  Sha256Digest hash;
  uint32_t index;  // place in the import
  State state = State::undecided;
};

class ImportSet {
 public:
  // `seed` is random: it keeps a client from choosing identities that collide in the table.
  ImportSet(std::optional<json::PointerTokens> id_field, uint64_t seed)
      : id_field_(std::move(id_field)), seed_(seed) {}

  // Takes an item event whose text lies at the end of `arena`, from `before` on. What is not kept
  // of it is released.
  void add(const json::Event& event, Arena& arena, Arena::Mark before);

  // Ends the part that is open: all its hashes are there. Its items are those from the last part's
  // end on.
  void finish_hashes() { lanes_.flush(); }

  std::deque<ImportItem>& items() { return items_; }
  size_t total() const { return total_; }
  size_t failed() const { return failed_; }
  size_t data_bytes() const { return data_bytes_; }
  // The data of all items so far is gone.
  void release_data() { data_bytes_ = 0; }

  // The first errors by index.
  const std::map<size_t, ImportError>& errors() const { return errors_; }

 private:
  void fail(size_t index, std::optional<std::string> external_id, std::string detail);
  void supersede(ImportItem& earlier);
  uint32_t& slot_of(std::string_view external_id);
  void grow_table();
  uint64_t hash_of(std::string_view external_id) const;

  std::optional<json::PointerTokens> id_field_;
  uint64_t seed_;
  Sha256Lanes lanes_;
  Arena ids_;
  std::deque<ImportItem> items_;
  std::vector<uint32_t>
      table_;  // open addressing: place in items_ + 1 of the last with an identity, 0 where free
  std::map<size_t, ImportError> errors_;
  size_t distinct_ = 0;
  size_t total_ = 0;
  size_t failed_ = 0;
  size_t data_bytes_ = 0;
};

}  // namespace sm::sync
