// What histories reached: one counter for each line of the model's tables, so that a generator that
// never gets somewhere is seen.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace simulation {

// clang-format off: a list, which it would make a staircase of.
#define SIMULATION_REACHED(X) \
  X(import_created) X(import_updated) X(import_skipped) X(import_returned_same) \
  X(import_returned_changed) X(import_removed) X(import_nothing_removed) X(import_refused) \
  X(import_forced) X(import_all_failed) X(import_failed_item) X(import_duplicate) X(property_removed) \
  X(sync_created) X(sync_revived) X(sync_contested) X(sync_contest_named) \
  X(sync_contest_cleared) X(sync_taken_over) X(sync_agreed_settled) X(sync_agreed_written) \
  X(sync_updated) X(sync_source_won) X(sync_kept) X(sync_conflict) X(sync_adopted) \
  X(removed_kept) X(removed_hidden) X(removed_conflict) X(removed_already) \
  X(removed_returned) X(edited) X(edit_restored_base) X(edit_of_removed) X(edit_of_conflict) \
  X(edit_changed_nothing) X(source_deleted) X(target_deleted) X(settings_changed) X(renamed) \
  X(cleaned_up) X(retained) X(retention_dropped_row) X(refusal) X(lost_race) X(fault) \
  X(failure_logged) X(retention_dropped_log) X(woken) X(probe_incremental) X(probe_full)
// clang-format on

enum class Reached {
#define SIMULATION_NAME(name) name,
  SIMULATION_REACHED(SIMULATION_NAME)
#undef SIMULATION_NAME
      count
};

class Coverage {
 public:
  void add(Reached what, uint64_t times = 1) { counts_[static_cast<size_t>(what)] += times; }
  void add(const Coverage& other) {
    for (size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
  }
  uint64_t operator[](size_t at) const { return counts_[at]; }

  static constexpr size_t kSize = static_cast<size_t>(Reached::count);
  static std::string_view name(size_t at) {
    constexpr std::array<std::string_view, kSize> kNames = {
#define SIMULATION_NAME(name) #name,
        SIMULATION_REACHED(SIMULATION_NAME)
#undef SIMULATION_NAME
    };
    return kNames[at];
  }

 private:
  std::array<uint64_t, kSize> counts_ = {};
};

}  // namespace simulation
