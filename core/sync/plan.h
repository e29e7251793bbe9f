// What a sync is about to do, made of counts: how many rows each class of the decision table has
// (classes.json; README.md tells what the table means), what they add to the stats, and which
// classes have something to write. The classes themselves are worked out by the store
// (schema/queries/sync.sql).
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "sync/classes.h"

namespace sm::sync {

std::string_view class_name(Class of);

struct ClassCount {
  int64_t rows = 0;
  int64_t pending = 0;  // rows that are not yet as the class makes them
};

struct Stats {
  int64_t created = 0;
  int64_t updated = 0;
  int64_t skipped = 0;
  int64_t warnings = 0;
  int64_t conflicts = 0;
  int64_t removed = 0;

  int64_t written() const { return created + updated + removed; }
  std::string json() const;
};

class Plan {
 public:
  // Rows that the store found of a class: its name, with ` said` behind it where they are as it
  // makes them.
  void add(std::string_view name, int64_t rows);

  ClassCount& operator[](Class of) { return counts_[static_cast<size_t>(of)]; }
  const ClassCount& operator[](Class of) const { return counts_[static_cast<size_t>(of)]; }

  // `live` is the number of live properties of the source; those that no class counts are skipped.
  Stats stats(int64_t live) const;
  // Whether a row of any class, or of those that are written so, is pending.
  bool writes() const;
  bool writes(RowWrite how) const;

 private:
  std::array<ClassCount, kClasses> counts_ = {};
};

// The plan of a sync whose target has no row yet.
Plan all_created(int64_t live);

// Every class may have rows: the plan of a sync that decides inside its batch.
Plan anything();

struct NamedSource {
  int64_t id;
  std::string_view name;
};

// The text of a row that a source beside its owner has, too.
std::string contest_warning(NamedSource owner, NamedSource contester);

}  // namespace sm::sync
