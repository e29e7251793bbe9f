#include "core/sync/plan.h"

#include "core/base/check.h"
#include "core/json/writer.h"

namespace sm::sync {
namespace {

constexpr std::array<std::string_view, kClasses> kNames = {"hold",   "remove",  "retract", "create",
                                                           "revive", "contest", "agree",   "update",
                                                           "accept", "keep",    "conflict"};

}  // namespace

std::string_view class_name(Class of) { return kNames[static_cast<size_t>(of)]; }

void Plan::add(std::string_view name, int64_t rows) {
  constexpr std::string_view kSaid = " said";
  bool said = name.ends_with(kSaid);
  if (said) name.remove_suffix(kSaid.size());
  for (size_t i = 0; i < kClasses; ++i) {
    if (kNames[i] != name) continue;
    counts_[i].rows += rows;
    if (!said) counts_[i].pending += rows;
    return;
  }
  SM_CHECK(false);
}

Stats Plan::stats(int64_t live) const {
  const Plan& plan = *this;
  Stats stats;
  int64_t both_changed = plan[Class::conflict].rows;
  stats.created = plan[Class::create].rows + plan[Class::revive].rows;
  stats.updated = plan[Class::update].rows;
  stats.warnings = plan[Class::contest].rows + plan[Class::keep].rows + both_changed;
  stats.conflicts = both_changed + plan[Class::hold].rows;
  stats.removed = plan[Class::remove].rows;
  stats.skipped = live - stats.created - stats.updated - stats.warnings;
  return stats;
}

bool Plan::writes() const {
  for (const ClassCount& count : counts_) {
    if (count.pending > 0) return true;
  }
  return false;
}

Plan all_created(int64_t live) {
  Plan plan;
  plan[Class::create] = {live, live};
  return plan;
}

Plan anything() {
  Plan plan;
  for (size_t i = 0; i < kClasses; ++i) plan[static_cast<Class>(i)].pending = 1;
  return plan;
}

std::string Stats::json() const {
  return json::object([this](json::ObjectWriter& stats) {
    stats.integer("created", created).integer("updated", updated).integer("skipped", skipped);
    stats.integer("warnings", warnings).integer("conflicts", conflicts);
    stats.integer("removed", removed);
  });
}

std::string contest_warning(NamedSource owner, NamedSource contester) {
  auto name = [](NamedSource source) {
    return "source " + std::to_string(source.id) + " (" + std::string(source.name) + ")";
  };
  return "Two sources have this property: it follows " + name(owner) + ", and " + name(contester) +
         " has it, too";
}

}  // namespace sm::sync
