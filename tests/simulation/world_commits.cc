// After each batch: the store and the model say the same.
#include <algorithm>

#include "tests/simulation/world.h"

namespace simulation {
namespace {

// Which stage of an operation a batch carries out, and on which properties: -1 for none. Most
// operations have one; a clean-up's and a retention's are told by what they delete, since deleting
// nothing cannot be seen.
struct StageOfBatch {
  int stage = -1;
  Slice slice = {};
};

StageOfBatch stage_of(const Action& action, const std::vector<StoreStatement>& batch) {
  bool staged = std::holds_alternative<Cleanup>(action) || std::holds_alternative<Wake>(action);
  if (!staged) return {0};
  bool wakes = std::holds_alternative<Wake>(action);
  StageOfBatch found;
  for (const StoreStatement& statement : batch) {
    auto begins = [&](std::string_view mark) { return statement.sql.starts_with(mark); };
    bool of_source = begins("DELETE FROM source_snapshots");
    if (of_source || begins("DELETE FROM target_snapshots")) {
      found = {of_source ? 0 : 1,
               {statement.params[1].get<int64_t>(), statement.params[2].get<int64_t>()}};
    }
    if (wakes && begins("DELETE FROM sync_logs")) found = {2};
    if (begins("INSERT INTO sync_logs")) found = {wakes ? 3 : 2};
  }
  return found;
}

}  // namespace

// After a batch: the store says what the model says of the state before, or of the one behind the
// stages that the batch carries out.
void World::settle(Client& client, const std::vector<StoreStatement>& batch) {
  if (!client.operation || client.operation->tenant >= places_.size()) return;
  const Action& action = client.operation->action;
  if (const auto* wake = std::get_if<Wake>(&action)) {
    StageOfBatch step = stage_of(action, batch);
    for (Place& place : places_) settle_wake(client, *wake, place, step.stage, step.slice);
    return;
  }
  Place& place = places_[client.operation->tenant];
  UsedIds scratch;
  UsedIds& used = probing_ ? scratch : used_;
  Tenant next = *place.model;
  StageOfBatch reached_stage = stage_of(action, batch);
  int stage = reached_stage.stage;
  std::string difference = Comparison(store_, place.id, used).run(next);
  bool unchanged = difference.empty() && (stages(action) == 1 || stage < 0);
  if (unchanged) return;
  // An operation commits once, but for the slices of a clean-up.
  bool allowed = stage >= 0 && (stages(action) > 1 || client.stage == 0);
  Outcome outcome = client.outcome;
  Coverage reached;
  Applying at = applying(client, reached);
  at.slice = reached_stage.slice;
  if (allowed) apply(next, action, stage, at, outcome);
  Comparison comparison(store_, place.id, used);
  if (allowed) difference = comparison.run(next);
  if (!difference.empty() && settle_failure(client)) return;
  if (!difference.empty()) {
    return fail("after a batch of " + describe(*client.operation) + ": " + difference);
  }
  coverage_.add(reached);
  if (outcome.created) outcome.body["id"] = comparison.created_side();
  client.outcome = outcome;
  client.stage = stage + 1;
  client.committed = true;
  place.model = std::make_shared<const Tenant>(std::move(next));
}

// Each batch of a retention is one step of one tenant's run, which another wake may have begun.
void World::settle_wake(const Client& client, const Wake& wake, Place& place, int step,
                        Slice slice) {
  Tenant next = *place.model;
  std::string difference = Comparison(store_, place.id, used_).run(next);
  if (difference.empty()) return;
  Coverage reached;
  if (step >= 0) {
    Applying at = applying(client, reached, place);
    at.slice = slice;
    apply_retention(next, step, std::max(wake.scheduled, client.moments.front()), at);
    difference = Comparison(store_, place.id, used_).run(next);
  }
  if (!difference.empty()) {
    return fail("after a batch of " + describe(*client.operation) + ": " + difference);
  }
  coverage_.add(reached);
  place.model = std::make_shared<const Tenant>(std::move(next));
}

// The moment that an operation puts down is one of those that it was told; its log row says which.
Applying World::applying(const Client& client, Coverage& coverage) {
  return applying(client, coverage, places_[client.operation->tenant]);
}

Applying World::applying(const Client& client, Coverage& coverage, const Place& place) {
  Applying at{client.moments.back(), client.moments, pool_.get(), &coverage};
  int64_t known = place.model->logs.empty() ? 0 : place.model->logs.back().id;
  store_.read(
      "SELECT completed_at FROM sync_logs WHERE tenant_id = ?1 AND id > ?2 ORDER BY id LIMIT 1",
      {place.id, known}, [&](sqlite3_stmt* row) {
        Moment logged = parse_moment(text_at(row, 0));
        const auto& told = client.moments;
        if (std::find(told.begin(), told.end(), logged) != told.end()) at.now = logged;
      });
  return at;
}

// An operation that is refused by state, or fails on our side, leaves a log row that says so, and
// nothing else.
bool World::settle_failure(Client& client) {
  bool refusal = was_refused(client);
  if (!refusal && !excused(client)) return false;
  const Action& action = client.operation->action;
  Place& place = places_[client.operation->tenant];
  LogRow row{"", "failed"};
  if (const auto* import = std::get_if<Import>(&action)) {
    row.type = "import";
    row.source_id = import->source;
  } else if (const auto* sync = std::get_if<Sync>(&action)) {
    row.type = "sync";
    row.source_id = sync->source;
    row.target_id = sync->target;
  } else {
    return false;
  }
  Coverage unused;
  row.has_error = true;
  row.completed_at = applying(client, unused).now;
  Tenant next = *place.model;
  next.logs.push_back(row);
  UsedIds scratch;
  if (!Comparison(store_, place.id, probing_ ? scratch : used_).run(next).empty()) return false;
  coverage_.add(refusal ? Reached::import_refused : Reached::failure_logged);
  client.logged_failure = true;
  place.model = std::make_shared<const Tenant>(std::move(next));
  return true;
}

// A refused import guards nothing, so it may be refused as of its reads, which are of two moments
// where queries are torn.
bool World::was_refused(const Client& client) {
  const auto* import = std::get_if<Import>(&client.operation->action);
  if (import == nullptr || !import->full || import->force) return false;
  if (torn_queries && !client.undisturbed()) return true;
  return std::any_of(client.seen.begin(), client.seen.end(), [&](const auto& seen) {
    Tenant copy = *seen;
    Coverage unused;
    Outcome outcome;
    apply(copy, client.operation->action, 0, applying(client, unused), outcome);
    return outcome.status == 409;
  });
}

// What lets an operation fail on our side: a fault; an import that a wake found to have made no
// progress for an hour; or a source whose properties came to be identified otherwise while it was
// imported into.
bool World::excused(const Client& client) const {
  constexpr Moment kHour = 3'600'000;
  if (!client.faults.empty()) return true;
  const auto* import = std::get_if<Import>(&client.operation->action);
  if (import == nullptr) return false;
  if (woken_as_of_ >= client.moments.front() + kHour) return true;
  std::set<std::string> id_fields;
  for (const auto& seen : client.seen) {
    auto source = seen->sources.find(import->source);
    if (source != seen->sources.end()) id_fields.insert(source->second.setting("id_field", ""));
  }
  return id_fields.size() > 1;
}

}  // namespace simulation
