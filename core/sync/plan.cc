#include "core/sync/plan.h"

#include "core/base/check.h"
#include "core/json/writer.h"

namespace sm::sync {

std::string_view class_name(Class of) { return kTable[static_cast<size_t>(of)].name; }

void Plan::add(std::string_view name, int64_t rows) {
  constexpr std::string_view kSaid = " said";
  bool said = name.ends_with(kSaid);
  if (said) name.remove_suffix(kSaid.size());
  for (const ClassLine& line : kTable) {
    if (line.name != name) continue;
    ClassCount& count = (*this)[line.of];
    count.rows += rows;
    if (!said) count.pending += rows;
    return;
  }
  SM_CHECK(false);
}

Stats Plan::stats(int64_t live) const {
  Stats stats;
  for (const auto& [of, name, write, each, action, warning] : kTable) {
    int64_t rows = (*this)[of].rows;
    stats.created += each.created * rows;
    stats.updated += each.updated * rows;
    stats.warnings += each.warnings * rows;
    stats.conflicts += each.conflicts * rows;
    stats.removed += each.removed * rows;
  }
  stats.skipped = live - stats.created - stats.updated - stats.warnings;
  return stats;
}

bool Plan::writes() const {
  for (const ClassCount& count : counts_) {
    if (count.pending > 0) return true;
  }
  return false;
}

bool Plan::writes(RowWrite how) const {
  for (const ClassLine& line : kTable) {
    if (line.write == how && (*this)[line.of].pending > 0) return true;
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
  for (const ClassLine& line : kTable) plan[line.of].pending = 1;
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
