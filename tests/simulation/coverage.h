// What histories reached: the lines of the model's tables, every kind of effect, every fault that
// can befall one, and every class of the decision table. What must be reached is known by name, so
// a generator that never gets somewhere fails.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

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
  X(removed_contest_cleared) X(removed_returned) X(edited) X(edit_restored_base) \
  X(edit_of_removed) X(edit_of_conflict) X(edit_changed_nothing) X(source_deleted) \
  X(target_deleted) X(deletion_resumed) X(settings_changed) X(renamed) X(cleaned_up) X(retained) X(log_abandoned) \
  X(retention_dropped_row) X(refusal) X(lost_race) X(fault) X(failure_logged) \
  X(retention_dropped_log) X(woken) X(probe_incremental) X(probe_full)
// clang-format on

enum class Reached {
#define SIMULATION_NAME(name) name,
  SIMULATION_REACHED(SIMULATION_NAME)
#undef SIMULATION_NAME
      count
};

// Counts by name.
class Coverage {
 public:
  void add(Reached what, uint64_t times = 1);
  void add(const std::string& name, uint64_t times = 1);
  void add(const Coverage& other);

  const std::map<std::string, uint64_t>& counts() const { return counts_; }
  uint64_t operator[](const std::string& name) const;

 private:
  std::map<std::string, uint64_t> counts_;
};

// Kinds of effects that operations have.
const std::vector<std::string>& effect_kinds();

// Names of what is not a line of the model's tables.
std::string effect_reached(const std::string& effect);
std::string fault_reached(const std::string& effect, std::string_view fault);
std::string class_reached(std::string_view name);

// Everything that many histories must reach.
std::vector<std::string> must_be_reached();

}  // namespace simulation
