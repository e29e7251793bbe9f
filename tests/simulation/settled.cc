#include "tests/simulation/settled.h"

namespace simulation {
namespace {

class Settled {
 public:
  Settled(const Tenant& tenant, const Source& source, const Target& target)
      : tenant_(tenant), source_(source), target_(target) {}

  std::string find_wrong() const {
    for (const auto& [external_id, s] : source_.rows) {
      auto row = target_.rows.find(external_id);
      const TargetRow* t = row == target_.rows.end() ? nullptr : &row->second;
      std::string wrong = s.live() ? of_live(external_id, s, t) : of_removed(external_id, t);
      if (!wrong.empty()) return "behind a sync, row " + external_id + " " + wrong;
    }
    return {};
  }

 private:
  bool lives_in(int64_t source, const std::string& external_id) const {
    auto other = tenant_.sources.find(source);
    if (other == tenant_.sources.end()) return false;
    auto row = other->second.rows.find(external_id);
    return row != other->second.rows.end() && row->second.live();
  }

  std::string of_live(const std::string& external_id, const SourceRow& s,
                      const TargetRow* t) const {
    if (t == nullptr || t->hidden()) return "is missing";
    bool contested = t->contested_by != 0;
    if (t->source_id != source_.id) {
      if (!lives_in(t->source_id, external_id)) return "is tied to a source that lacks it";
      return contested && lives_in(t->contested_by, external_id)
                 ? ""
                 : "is another source's, and not contested by one that has it";
    }
    if (t->source_property_id != s.id) return "is tied to another property";
    if (contested && !lives_in(t->contested_by, external_id))
      return "is contested by one without it";
    if (!t->manual()) {
      bool plain = t->data == s.data && !t->accepted && t->warning == Warning::none;
      return plain && t->status == Status::synced ? "" : "was not edited, and is not the source's";
    }
    if (t->data == s.data) return "agrees, and is not settled";
    bool source_changed = t->base != s.data;
    if (t->accepted && !source_changed)
      return t->warning == Warning::none ? "" : "is accepted, and warns";
    bool says = t->warning == (source_changed ? Warning::conflict : Warning::keep) &&
                t->status == (source_changed ? Status::conflict : Status::manual);
    bool wins = target_.setting("conflict_policy", "skip") == "source_wins";
    return says && !wins ? "" : "was edited, and does not say what became of that";
  }

  std::string of_removed(const std::string& external_id, const TargetRow* t) const {
    if (t == nullptr) return {};
    if (t->contested_by == source_.id) return "is contested by a source that lacks it";
    if (t->source_id != source_.id || t->hidden()) return {};
    if (t->contested_by != 0) return "is contested, though its owner lacks it";
    if (t->status == Status::removed)
      return t->warning == Warning::none ? "" : "is removed, and warns";
    bool held = t->manual() && t->status == Status::conflict && t->warning == Warning::removed;
    return held ? "" : "of " + external_id + " was removed, and the row does not say so";
  }

  const Tenant& tenant_;
  const Source& source_;
  const Target& target_;
};

}  // namespace

std::string unsettled(const Tenant& tenant, const Sync& sync) {
  auto source = tenant.sources.find(sync.source);
  auto target = tenant.targets.find(sync.target);
  if (source == tenant.sources.end() || target == tenant.targets.end()) return {};
  return Settled(tenant, source->second, target->second).find_wrong();
}

}  // namespace simulation
