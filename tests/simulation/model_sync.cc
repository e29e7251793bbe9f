// One sync: api.md, section 4, as a loop over the source's properties.
#include "tests/simulation/model.h"

namespace simulation {
namespace {

struct SyncStats {
  int64_t created = 0;
  int64_t updated = 0;
  int64_t skipped = 0;
  int64_t warnings = 0;
  int64_t conflicts = 0;
  int64_t removed = 0;

  Json json() const {
    return {{"created", created},   {"updated", updated},     {"skipped", skipped},
            {"warnings", warnings}, {"conflicts", conflicts}, {"removed", removed}};
  }
};

class Syncing {
 public:
  Syncing(Tenant& tenant, Source& source, Target& target, const Applying& at)
      : tenant_(tenant), source_(source), target_(target), at_(at) {}

  SyncStats run() {
    for (auto& [external_id, property] : source_.rows) {
      auto found = target_.rows.find(external_id);
      if (!property.live()) {
        if (found != target_.rows.end()) settle_removed(found->second);
      } else if (found == target_.rows.end()) {
        create(external_id, property);
      } else if (found->second.hidden()) {
        revive(found->second, property);
      } else {
        settle_live(external_id, found->second, property);
      }
    }
    return stats_;
  }

 private:
  bool lives_in(int64_t source, const std::string& external_id) const {
    auto other = tenant_.sources.find(source);
    if (other == tenant_.sources.end()) return false;
    auto row = other->second.rows.find(external_id);
    return row != other->second.rows.end() && row->second.live();
  }

  void create(const std::string& external_id, const SourceRow& s) {
    TargetRow row;
    row.source_id = source_.id;
    row.source_property_id = s.id;
    row.data = row.base = s.data;
    row.last_synced = row.created_at = row.updated_at = at_.now;
    target_.rows[external_id] = row;
    ++stats_.created;
    at_.coverage->add(Reached::sync_created);
  }

  // The same row is created again: same id, no snapshot.
  void revive(TargetRow& t, const SourceRow& s) {
    t.hidden_at = 0;
    ++t.version;
    take(t, s);
    ++stats_.created;
    at_.coverage->add(Reached::sync_revived);
  }

  void settle_live(const std::string& external_id, TargetRow& t, const SourceRow& s) {
    bool foreign = t.source_id != 0 && t.source_id != source_.id;
    if (foreign && lives_in(t.source_id, external_id)) return contest(external_id, t);
    if (foreign) at_.coverage->add(Reached::sync_taken_over);
    if (t.source_id == 0) at_.coverage->add(Reached::sync_adopted);
    bool changes_hands = t.source_id != source_.id;
    if (changes_hands) tie(t, s);
    bool contest_ends = contest_is_over(external_id, t);
    if (contest_ends) end_contest(t);
    if (t.data == s.data) return agree(t, s, changes_hands || contest_ends);
    if (!t.manual()) return update(t, s, Reached::sync_updated);
    bool source_changed = s.data != t.base;
    if (t.accepted && !source_changed) {
      ++stats_.skipped;
      return;
    }
    if (target_.setting("conflict_policy", "skip") == "source_wins") {
      return update(t, s, Reached::sync_source_won);
    }
    ++stats_.warnings;
    if (source_changed) ++stats_.conflicts;
    at_.coverage->add(source_changed ? Reached::sync_conflict : Reached::sync_kept);
    warn(t, source_changed ? Warning::conflict : Warning::keep,
         source_changed ? Status::conflict : Status::manual);
  }

  // The contester takes over, or has the property no more.
  bool contest_is_over(const std::string& external_id, const TargetRow& t) const {
    return t.contested_by != 0 &&
           (t.contested_by == source_.id || !lives_in(t.contested_by, external_id));
  }

  void contest(const std::string& external_id, TargetRow& t) {
    ++stats_.warnings;
    at_.coverage->add(Reached::sync_contested);
    if (t.contested_by != 0 && lives_in(t.contested_by, external_id)) return;
    t.contested_by = source_.id;
    t.updated_at = at_.now;
    at_.coverage->add(Reached::sync_contest_named);
  }

  void tie(TargetRow& t, const SourceRow& s) {
    t.source_id = source_.id;
    t.source_property_id = s.id;
    t.updated_at = at_.now;
  }

  void end_contest(TargetRow& t) {
    t.contested_by = 0;
    t.updated_at = at_.now;
    at_.coverage->add(Reached::sync_contest_cleared);
  }

  void agree(TargetRow& t, const SourceRow& s, bool written) {
    ++stats_.skipped;
    bool settled = !written && t.base == s.data && t.warning == Warning::none && !t.accepted &&
                   t.status == Status::synced;
    at_.coverage->add(settled ? Reached::sync_agreed_settled : Reached::sync_agreed_written);
    if (t.status == Status::removed) at_.coverage->add(Reached::removed_returned);
    if (!settled) take(t, s);
  }

  void update(TargetRow& t, const SourceRow& s, Reached how) {
    if (t.status == Status::removed) at_.coverage->add(Reached::removed_returned);
    t.snapshots.push_back({t.version, t.data, "sync", at_.now});
    ++t.version;
    take(t, s);
    ++stats_.updated;
    at_.coverage->add(how);
  }

  void take(TargetRow& t, const SourceRow& s) {
    t.source_id = source_.id;
    t.source_property_id = s.id;
    t.data = t.base = s.data;
    t.accepted = false;
    t.warning = Warning::none;
    t.status = Status::synced;
    t.last_synced = t.updated_at = at_.now;
  }

  void warn(TargetRow& t, Warning warning, Status status) {
    if (t.warning == warning && t.status == status) return;
    t.warning = warning;
    t.status = status;
    t.updated_at = at_.now;
  }

  // The source's property was removed.
  void settle_removed(TargetRow& t) {
    if (t.hidden()) return;
    if (t.contested_by == source_.id) end_contest(t);
    if (t.source_id != source_.id) return;
    if (t.status == Status::removed) {
      at_.coverage->add(Reached::removed_already);
      if (t.contested_by != 0) {
        end_contest(t);
        at_.coverage->add(Reached::removed_contest_cleared);
      }
      return;
    }
    if (t.manual()) {
      ++stats_.conflicts;
      at_.coverage->add(Reached::removed_conflict);
      if (t.contested_by != 0) end_contest(t);
      return warn(t, Warning::removed, Status::conflict);
    }
    ++stats_.removed;
    t.warning = Warning::none;
    t.contested_by = 0;
    t.accepted = false;
    t.last_synced = t.updated_at = at_.now;
    if (target_.setting("on_removed", "keep") == "keep") {
      t.status = Status::removed;
      at_.coverage->add(Reached::removed_kept);
      return;
    }
    t.snapshots.push_back({t.version, t.data, "sync", at_.now});
    t.hidden_at = at_.now;
    at_.coverage->add(Reached::removed_hidden);
  }

  Tenant& tenant_;
  Source& source_;
  Target& target_;
  const Applying& at_;
  SyncStats stats_;
};

}  // namespace

Outcome apply_sync(Tenant& tenant, const Sync& sync, const Applying& at) {
  Source* source = tenant.source(sync.source);
  Target* target = tenant.target(sync.target);
  if (source == nullptr || target == nullptr) return refused(404);
  SyncStats stats = Syncing(tenant, *source, *target, at).run();
  tenant.logs.push_back({"sync", "success", sync.source, sync.target, source->live(),
                         stats.created + stats.updated + stats.removed, stats.warnings,
                         stats.json(), false, at.now});
  Outcome outcome;
  outcome.writes = true;
  outcome.body = {{"status", "success"},
                  {"stats", stats.json()},
                  {"delivery", "none"},
                  {"sync_id", {{"$text", {""}}}}};
  return outcome;
}

}  // namespace simulation
