// Packs: many texts in one parameter, since rows travel to the store as one JSON text through
// json_each.
//
// A parameter beyond Latin-1 costs four times as much to move, so packs are pure ASCII. Data is
// JSON inside JSON: its quotation marks stand as U+007F, which the statement replaces, and that
// halves what has to be escaped; data that contains U+007F itself goes into packs of their own with
// escaped quotation marks.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/effect.h"
#include "core/base/sha256.h"

namespace sm::store {

// ["<hash><external_id>", …], or, for staging, ["<hash><place><external_id>", …] with the item's
// place in its import in eight digits.
class IdentityPack {
 public:
  void add(const Sha256Digest& hash, std::string_view external_id);
  void add_placed(const Sha256Digest& hash, size_t place, std::string_view external_id);
  size_t items() const { return items_; }
  Pack finish();

 private:
  std::string text_ = "[";
  size_t items_ = 0;
};

// {"<hash><place>": "<data>", …}, split into parameters of a megabyte. Data that is longer than
// that in ASCII has a parameter to itself: canonical JSON of the largest size grows to three times
// its bytes at most, which is within what a store takes (kMaxParamBytes).
class DataPacks {
 public:
  struct Part {
    std::string quote;  // what stands for a quotation mark in this pack
    Pack pack;
  };

  void add(const Sha256Digest& hash, size_t place, std::string_view data);
  std::vector<Part> finish();

 private:
  struct Open {
    std::string quote;
    std::string text = "{";
  };
  static bool fits(const Open& open, std::string_view data);
  void close(Open& open);

  Open plain_{"\x7f"};
  Open verbatim_{"\""};
  std::vector<Part> parts_;
};

}  // namespace sm::store
