// After each batch: the store and the model say the same.
#include <algorithm>

#include "tests/simulation/settled.h"
#include "tests/simulation/world.h"

namespace simulation {
namespace {

bool begins(const StoreStatement& statement, std::string_view mark) {
  return statement_text(statement.number).text.starts_with(mark);
}

// Up to which property ids a batch drops snapshots and hidden rows.
Slice slice_of(const std::vector<StoreStatement>& batch) {
  Slice slice;
  for (const StoreStatement& statement : batch) {
    std::string_view name = statement_text(statement.number).name;
    auto last = [&](size_t param) { return statement.params[param].get<int64_t>(); };
    auto cut = [&] { return Cut{last(2), last(3), last(4)}; };
    if (name == "source_snapshots_expired") slice.sources = cut();
    if (name == "target_snapshots_expired") slice.targets = cut();
    if (name == "hidden_deleted") slice.hidden = {last(1), last(2)};
  }
  return slice;
}

// Which stage of an operation a batch carries out: -1 for none. Most operations have one; a
// clean-up's are told by what they say to the store, since deleting nothing cannot be seen.
int stage_of(const Action& action, const std::vector<StoreStatement>& batch) {
  if (!std::holds_alternative<Cleanup>(action)) return 0;
  int stage = -1;
  for (const StoreStatement& statement : batch) {
    bool logs = begins(statement, "INSERT INTO sync_logs");
    if (begins(statement, "DELETE FROM source_snapshots") || logs) {
      stage = std::max<int>(stage, cleanup_slice);
    }
    bool ends = begins(statement, "UPDATE sync_logs SET status");
    if (ends || (logs && statement.params[3] == "success")) stage = cleanup_end;
  }
  return stage;
}

RetentionStep retention_step_of(const std::vector<StoreStatement>& batch) {
  for (const StoreStatement& statement : batch) {
    if (begins(statement, "INSERT INTO sync_logs")) return RetentionStep::claim;
    if (begins(statement, "DELETE FROM source_snapshots")) return RetentionStep::drops;
    if (begins(statement, "DELETE FROM target_properties")) return RetentionStep::hidden;
    if (begins(statement, "DELETE FROM sync_logs")) return RetentionStep::logs;
    if (!begins(statement, "UPDATE runs SET state")) continue;
    return statement.params[2] == "failed" ? RetentionStep::give_up : RetentionStep::end;
  }
  return RetentionStep::none;
}

// Whether it goes on with a deletion.
bool clears_away(const std::vector<StoreStatement>& batch) {
  return std::any_of(batch.begin(), batch.end(), [](const StoreStatement& statement) {
    return statement_text(statement.number).name.starts_with("first_properties_deleted");
  });
}

// How the log names an operation that fails.
LogRow failure_of(const Action& action) {
  LogRow row{"manual", "failed"};
  auto on = [&](Which connector, int64_t id) {
    (connector == Which::source ? row.source_id : row.target_id) = id;
  };
  if (const auto* import = std::get_if<Import>(&action)) {
    row.type = "import";
    on(Which::source, import->source);
  } else if (const auto* sync = std::get_if<Sync>(&action)) {
    row.type = "sync";
    on(Which::source, sync->source);
    on(Which::target, sync->target);
  } else if (const auto* edit = std::get_if<Edit>(&action)) {
    on(Which::target, edit->target);
  } else if (const auto* gone = std::get_if<RemoveProperty>(&action)) {
    on(Which::source, gone->source);
  } else if (const auto* change = std::get_if<ChangeConnector>(&action)) {
    on(change->connector, change->id);
  } else if (const auto* deletion = std::get_if<DeleteConnector>(&action)) {
    on(deletion->connector, deletion->id);
  } else if (std::holds_alternative<Cleanup>(action)) {
    row.type = "cleanup";
  }
  row.has_error = true;
  return row;
}

}  // namespace

// After a batch: the store says what the model says of the state before, or of the one behind the
// stages that the batch carries out.
void World::settle(Client& client, const std::vector<StoreStatement>& batch) {
  if (!client.operation || client.operation->tenant >= places_.size()) return;
  const Action& action = client.operation->action;
  if (const auto* wake = std::get_if<Wake>(&action)) {
    RetentionStep step = retention_step_of(batch);
    Slice slice = slice_of(batch);
    if (clears_away(batch)) coverage_.add(Reached::deletion_resumed);
    for (Place& place : places_) settle_wake(client, *wake, place, step, slice);
    return;
  }
  Place& place = places_[client.operation->tenant];
  UsedIds scratch;
  UsedIds& used = probing_ ? scratch : used_;
  Tenant next = *place.model;
  int stage = stage_of(action, batch);
  std::string difference = Comparison(store_, place.id, used).run(next);
  // What has ended does not end again: the note of a failure finds nothing that is under way.
  bool over = client.stage >= stages(action);
  bool unchanged = difference.empty() && (stages(action) == 1 || stage < 0 || over);
  if (unchanged) return;
  // An operation commits once, but for the slices of a clean-up.
  bool allowed = stage >= 0 && (stages(action) > 1 || client.stage == 0);
  Outcome outcome = client.outcome;
  Coverage reached;
  Applying at = applying(client, reached);
  at.slice = slice_of(batch);
  if (allowed) apply(next, action, stage, at, outcome);
  Comparison comparison(store_, place.id, used);
  if (allowed) difference = comparison.run(next);
  if (!difference.empty() && settle_failure(client)) return;
  if (!difference.empty()) {
    return fail("after a batch of " + describe(*client.operation) + ": " + difference);
  }
  if (const auto* sync = std::get_if<Sync>(&action)) difference = unsettled(next, *sync);
  if (!difference.empty()) return fail(difference + ", " + describe(*client.operation));
  coverage_.add(reached);
  if (outcome.created) outcome.body["id"] = comparison.created_connector();
  client.outcome = outcome;
  client.stage = stage + 1;
  client.committed = true;
  place.model = std::make_shared<const Tenant>(std::move(next));
}

// Each batch of a retention is one step of one tenant's run, which another wake may have begun.
void World::settle_wake(const Client& client, const Wake& wake, Place& place, RetentionStep step,
                        Slice slice) {
  Tenant next = *place.model;
  std::string difference = Comparison(store_, place.id, used_).run(next);
  if (difference.empty()) return;
  Coverage reached;
  if (step != RetentionStep::none) {
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
  const std::vector<LogRow>& logs = place.model->logs;
  auto open =
      std::find_if(logs.begin(), logs.end(), [](const LogRow& log) { return !log.settled; });
  int64_t known = open == logs.begin() ? 0 : std::prev(open)->id;
  store_.read("SELECT completed_at, id FROM sync_logs WHERE tenant_id = ?1 AND id > ?2 ORDER BY id",
              {place.id, known}, [&](sqlite3_stmt* row) {
                int64_t id = integer_at(row, 1);
                bool settled = std::any_of(open, logs.end(), [&](const LogRow& log) {
                  return log.id == id && log.settled;
                });
                if (settled || text_at(row, 0).empty()) return;
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
  Coverage unused;
  Moment now = applying(client, unused).now;
  LogRow row = failure_of(action);
  Tenant next = *place.model;
  auto begun = std::find_if(next.logs.begin(), next.logs.end(), [&](const LogRow& log) {
    return client.outcome.operation != 0 && log.operation == client.outcome.operation;
  });
  if (begun != next.logs.end() && std::string_view(begun->status) != "running") {
    // It had ended: only the answer to its last batch was lost.
  } else if (begun != next.logs.end()) {
    begun->status = "partial";
    begun->has_error = true;
    begun->completed_at = now;
  } else {
    row.completed_at = now;
    next.logs.push_back(row);
  }
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
