#include "tests/simulation/model.h"

#include <algorithm>

namespace simulation {
namespace {

template <typename S>
Outcome create(std::map<int64_t, S>& connectors, const CreateConnector& given, const Applying& at) {
  S connector;
  connector.name = given.name;
  connector.type = given.type;
  connector.config = given.config;
  connector.created_at = connector.updated_at = at.now;
  Outcome outcome{201, show(connector), true, true};
  connectors[0] = std::move(connector);
  return outcome;
}

template <typename S>
Outcome change(S* connector, const ChangeConnector& given, const Applying& at) {
  if (connector == nullptr) return refused(404);
  std::string name = given.name.value_or(connector->name);
  Json config = given.config ? merge_patch(connector->config, *given.config) : connector->config;
  Outcome outcome;
  outcome.writes = name != connector->name || config != connector->config;
  if (outcome.writes) {
    at.coverage->add(name != connector->name ? Reached::renamed : Reached::settings_changed);
    connector->name = name;
    connector->config = config;
    connector->updated_at = at.now;
  }
  outcome.body = show(*connector);
  return outcome;
}

// Rows that the source fed stay in place without an owner, and its contests end.
void untie(Tenant& tenant, int64_t source) {
  for (auto& [id, target] : tenant.targets) {
    for (auto& [external_id, row] : target.rows) {
      if (row.source_id != source && row.contested_by != source) continue;
      if (row.source_id == source) row.source_id = row.source_property_id = 0;
      if (row.contested_by == source) row.contested_by = 0;
    }
  }
}

// Rows that a list shows: a source's removed ones too, a target's hidden ones not.
int64_t shown_rows(const Source& source) { return static_cast<int64_t>(source.rows.size()); }
int64_t shown_rows(const Target& target) { return target.live(); }

template <typename S>
Outcome erase(std::map<int64_t, S>& connectors, int64_t id) {
  auto found = connectors.find(id);
  if (found == connectors.end()) return refused(404);
  int64_t snapshots = 0;
  for (const auto& [external_id, row] : found->second.rows) {
    snapshots += static_cast<int64_t>(row.snapshots.size());
  }
  Outcome outcome;
  outcome.writes = true;
  outcome.body = {
      {"status", "deleted"},
      {"deleted", {{"properties", shown_rows(found->second)}, {"snapshots", snapshots}}}};
  connectors.erase(found);
  return outcome;
}

template <typename S>
int64_t drop_snapshots(std::map<int64_t, S>& connectors, Moment before, Cut last) {
  int64_t dropped = 0;
  for (auto& [id, connector] : connectors) {
    for (auto& [external_id, row] : connector.rows) {
      dropped += std::erase_if(row.snapshots, [&](const Snapshot& s) {
        return s.created_at < before && Cut{id, row.id, s.version} <= last;
      });
    }
  }
  return dropped;
}

constexpr int64_t kRetentionDays = 30;

// The row of an operation that is under way. A retention may have taken it for one that nobody
// ends any more; of retentions, each has a row of its own.
LogRow& running(Tenant& tenant, int64_t operation) {
  for (LogRow& log : tenant.logs) {
    bool runs = log.status == std::string_view("running");
    if (log.operation == operation && (runs || operation != kRetention)) return log;
  }
  LogRow begun{"cleanup", "running"};
  begun.stats = {{"source_snapshots", 0}, {"target_snapshots", 0}};
  begun.operation = operation;
  tenant.logs.push_back(begun);
  return tenant.logs.back();
}

void count(LogRow& log, const char* what, int64_t dropped) {
  log.total += dropped;
  log.updated += dropped;
  log.stats[what] = log.stats[what].get<int64_t>() + dropped;
}

void end(LogRow& log, const char* status, const Applying& at) {
  log.status = status;
  log.has_error = false;
  log.completed_at = at.now;
}

void end_abandoned(Tenant& tenant, const Applying& at) {
  for (LogRow& log : tenant.logs) {
    bool runs = log.status == std::string_view("running");
    if (!runs || log.operation == kRetention || log.started_at >= at.now - kDay) continue;
    end(log, "partial", at);
    log.has_error = true;
    at.coverage->add(Reached::log_abandoned);
  }
}

void drop_slice(Tenant& tenant, LogRow& log, Moment before, Slice slice) {
  count(log, "source_snapshots", drop_snapshots(tenant.sources, before, slice.sources));
  count(log, "target_snapshots", drop_snapshots(tenant.targets, before, slice.targets));
}

void clean_up(Tenant& tenant, const Cleanup& cleanup, int stage, const Applying& at,
              Outcome& outcome) {
  // Counted from when the request was let in: after the answer about its key.
  Moment asked_at = at.moments.size() > 1 ? at.moments[1] : at.now;
  Moment before = asked_at - cleanup.days.value_or(kRetentionDays) * kDay;
  if (outcome.operation == 0) outcome.operation = ++tenant.operations;
  LogRow& log = running(tenant, outcome.operation);
  drop_slice(tenant, log, before, at.slice);
  outcome.writes = true;
  if (stage < cleanup_end) return;
  end(log, "success", at);
  outcome.body = {{"status", "success"}, {"deleted", log.stats}};
  at.coverage->add(Reached::cleaned_up);
}

void drop_hidden(Tenant& tenant, Moment before, const Applying& at) {
  for (auto& [id, target] : tenant.targets) {
    size_t dropped = std::erase_if(target.rows, [&](const auto& row) {
      const TargetRow& t = row.second;
      return Cut{id, t.id} <= at.slice.hidden && t.hidden() && t.hidden_at < before &&
             t.snapshots.empty();
    });
    at.coverage->add(Reached::retention_dropped_row, dropped);
  }
}

// Everything that has one stage.
struct Apply {
  Tenant& tenant;
  const Applying& at;

  Outcome operator()(const CreateConnector& given) const {
    return given.connector == Which::source ? create(tenant.sources, given, at)
                                            : create(tenant.targets, given, at);
  }
  Outcome operator()(const ChangeConnector& given) const {
    return given.connector == Which::source ? change(tenant.source(given.id), given, at)
                                            : change(tenant.target(given.id), given, at);
  }
  Outcome operator()(const DeleteConnector& gone) const {
    bool source = gone.connector == Which::source;
    Outcome outcome = source ? erase(tenant.sources, gone.id) : erase(tenant.targets, gone.id);
    if (!outcome.writes) return outcome;
    at.coverage->add(source ? Reached::source_deleted : Reached::target_deleted);
    if (source) untie(tenant, gone.id);
    return outcome;
  }
  Outcome operator()(const Import& import) const { return apply_import(tenant, import, at); }
  Outcome operator()(const RemoveProperty& gone) const { return apply_removal(tenant, gone, at); }
  Outcome operator()(const Sync& sync) const { return apply_sync(tenant, sync, at); }
  Outcome operator()(const Edit& edit) const { return apply_edit(tenant, edit, at); }
  Outcome operator()(const Cleanup&) const { return {}; }
  Outcome operator()(const Wake&) const { return {}; }
  Outcome operator()(const Read& read) const { return answer_read(tenant, read); }
};

template <typename Rows>
auto* row_by_id(Rows& rows, int64_t property) {
  auto found = std::find_if(rows.begin(), rows.end(),
                            [&](const auto& row) { return row.second.id == property; });
  return found == rows.end() ? nullptr : &*found;
}

}  // namespace

std::string Connector::setting(const char* key, const char* otherwise) const {
  auto found = config.find(key);
  return found == config.end() ? otherwise : found->template get<std::string>();
}

int64_t Source::live() const {
  return std::count_if(rows.begin(), rows.end(), [](const auto& row) { return row.second.live(); });
}

int64_t Target::live() const {
  return std::count_if(rows.begin(), rows.end(),
                       [](const auto& row) { return !row.second.hidden(); });
}

Source* Tenant::source(int64_t id) {
  auto found = sources.find(id);
  return found == sources.end() ? nullptr : &found->second;
}

Target* Tenant::target(int64_t id) {
  auto found = targets.find(id);
  return found == targets.end() ? nullptr : &found->second;
}

std::pair<const std::string, SourceRow>* Tenant::source_row(int64_t id, int64_t property) {
  Source* parent = source(id);
  return parent == nullptr ? nullptr : row_by_id(parent->rows, property);
}

std::pair<const std::string, TargetRow>* Tenant::target_row(int64_t id, int64_t property) {
  Target* parent = target(id);
  auto* found = parent == nullptr ? nullptr : row_by_id(parent->rows, property);
  return found == nullptr || found->second.hidden() ? nullptr : found;
}

int stages(const Action& action) {
  return std::holds_alternative<Cleanup>(action) ? cleanup_stages : 1;
}

void apply(Tenant& tenant, const Action& action, int stage, const Applying& at, Outcome& outcome) {
  if (const auto* cleanup = std::get_if<Cleanup>(&action)) {
    clean_up(tenant, *cleanup, stage, at, outcome);
  } else {
    outcome = std::visit(Apply{tenant, at}, action);
  }
  if (outcome.status >= 400) at.coverage->add(Reached::refusal);
}

void apply_retention(Tenant& tenant, RetentionStep step, Moment as_of, const Applying& at) {
  constexpr int64_t kLogDays = 365;
  Moment before = as_of - kRetentionDays * kDay;
  if (step == RetentionStep::claim) running(tenant, kRetention);
  if (step == RetentionStep::drops) {
    drop_slice(tenant, running(tenant, kRetention), before, at.slice);
  }
  if (step == RetentionStep::hidden) drop_hidden(tenant, before, at);
  if (step == RetentionStep::logs && !tenant.logs.empty()) {
    int64_t newest = tenant.logs.back().id;
    Moment expired = as_of - kLogDays * kDay;
    size_t dropped = std::erase_if(tenant.logs, [&](const LogRow& log) {
      bool runs = log.status == std::string_view("running");
      return log.started_at < expired && log.id != newest && !runs;
    });
    at.coverage->add(Reached::retention_dropped_log, dropped);
  }
  if (step == RetentionStep::end) {
    end(running(tenant, kRetention), "success", at);
    end_abandoned(tenant, at);
    at.coverage->add(Reached::retained);
  }
  if (step == RetentionStep::give_up) {
    LogRow& log = running(tenant, kRetention);
    end(log, "failed", at);
    log.has_error = true;
  }
}

Outcome apply_edit(Tenant& tenant, const Edit& edit, const Applying& at) {
  auto* found = tenant.target_row(edit.target, edit.property);
  if (found == nullptr) return refused(404);
  auto& [external_id, row] = *found;
  Data data = at.pool->intern(merge_patch(row.data->value, edit.patch));
  Outcome outcome;
  outcome.writes = data != row.data;
  if (!outcome.writes) {
    at.coverage->add(Reached::edit_changed_nothing);
  } else {
    at.coverage->add(data == row.base ? Reached::edit_restored_base : Reached::edited);
    if (row.status == Status::removed) at.coverage->add(Reached::edit_of_removed);
    if (row.status == Status::conflict) at.coverage->add(Reached::edit_of_conflict);
    row.snapshots.push_back({row.version, row.data, "edit", at.now});
    row.data = data;
    ++row.version;
    row.accepted = false;
    row.warning = Warning::none;
    row.status = row.manual() ? Status::manual : Status::synced;
    row.updated_at = at.now;
    tenant.logs.push_back({"manual", "success", 0, edit.target, 1, 1, 0, nullptr, false, at.now});
  }
  outcome.body = show(tenant, *tenant.target(edit.target), external_id, row);
  return outcome;
}

}  // namespace simulation
