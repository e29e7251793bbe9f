// The decision table of a sync, as far as it is made of counts: what each class of rows adds to the
// stats, and which of the classes have something to write. The classes themselves are worked out by
// the store (schema/queries/sync.sql).
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace sm::sync {

// In the order of the table: the first line that fits a row is its class.
enum class Class {
  hold,
  remove,
  retract,
  create,
  revive,
  contest,
  agree,
  update,
  accept,
  keep,
  conflict
};
inline constexpr size_t kClasses = 11;

std::string_view class_name(Class of);

struct ClassCount {
  int64_t rows = 0;
  int64_t pending = 0;  // rows that do not say so yet
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
  // Rows that the store found of a class: its name, with ` said` behind it where they say so
  // already.
  void add(std::string_view name, int64_t rows);

  ClassCount& operator[](Class of) { return counts_[static_cast<size_t>(of)]; }
  const ClassCount& operator[](Class of) const { return counts_[static_cast<size_t>(of)]; }

  // `live` is the number of live properties of the source; those that are no candidates are
  // skipped.
  Stats stats(int64_t live) const;
  bool writes() const;

 private:
  std::array<ClassCount, kClasses> counts_ = {};
};

// The plan of a sync whose target has no row yet.
Plan all_created(int64_t live);

// Every class may have rows: the plan of a sync that decides inside its batch.
Plan anything();

// What the rows' warnings say. A conflict's begins as the API promises.
inline constexpr std::string_view kKeepWarning =
    "Target has manual modifications and the source has not changed; they are kept";
inline constexpr std::string_view kConflictWarning =
    "Source has changes but target has manual modifications; the row was not touched";
inline constexpr std::string_view kHoldWarning =
    "Source property was removed but target has manual modifications; the row was not touched";

struct NamedSource {
  int64_t id;
  std::string_view name;
};

// The text of a row that a source beside its owner has, too.
std::string contest_warning(NamedSource owner, NamedSource contester);

}  // namespace sm::sync
