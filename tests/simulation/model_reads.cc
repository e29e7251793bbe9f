// Rows as the API shows them, and the lists of them.
#include <algorithm>

#include "tests/simulation/model.h"

namespace simulation {
namespace {

Json time_or_null(Moment moment) { return moment == 0 ? Json() : Json(time_text(moment)); }

Json any_of(std::vector<std::string> parts) { return {{"$text", std::move(parts)}}; }

const char* status_name(Status status) {
  constexpr std::array<const char*, 4> kNames = {"synced", "manual", "conflict", "removed"};
  return kNames[static_cast<size_t>(status)];
}

// A row that two sources want names both; what the row has to say for itself comes first.
Json show_warning(const Tenant& tenant, const TargetRow& row) {
  constexpr std::array<const char*, 4> kBegins = {
      "", "Target has manual modifications",
      "Source has changes but target has manual modifications",
      "Source property was removed but target has manual modifications"};
  std::vector<std::string> parts = {kBegins[static_cast<size_t>(row.warning)]};
  auto owner = tenant.sources.find(row.source_id);
  auto contester = tenant.sources.find(row.contested_by);
  bool contested = owner != tenant.sources.end() && contester != tenant.sources.end();
  if (row.warning == Warning::none && !contested) return nullptr;
  if (contested) {
    parts.push_back(owner->second.name);
    parts.push_back(contester->second.name);
  }
  return any_of(std::move(parts));
}

Json show_connector(const Connector& connector, int64_t live) {
  return {{"id", connector.id},
          {"name", connector.name},
          {"type", connector.type},
          {"config", connector.config},
          {"property_count", live},
          {"created_at", time_text(connector.created_at)},
          {"updated_at", time_text(connector.updated_at)}};
}

Json show_log(const LogRow& log) {
  auto id_or_null = [](int64_t id) { return id == 0 ? Json() : Json(id); };
  Json shown = {{"id", log.id},
                {"sync_id", log.sync_id},
                {"run_id", log.run_id.empty() ? Json() : Json(log.run_id)},
                {"sync_type", log.type},
                {"status", log.status},
                {"source_id", id_or_null(log.source_id)},
                {"target_id", id_or_null(log.target_id)},
                {"total_properties", log.total},
                {"updated_properties", log.updated},
                {"failed_properties", log.failed},
                {"stats", log.stats},
                {"error_message", log.has_error ? any_of({""}) : Json()},
                {"started_at", time_text(log.started_at)},
                {"completed_at", time_or_null(log.completed_at)}};
  return shown;
}

Json show_snapshot(const Snapshot& snapshot) {
  return {{"id", snapshot.id},           {"data", snapshot.data->value},
          {"hash", snapshot.data->hash}, {"version", snapshot.version},
          {"reason", snapshot.reason},   {"created_at", time_text(snapshot.created_at)}};
}

// Cuts a list of everything that fits to the first page, as `limit` says.
Outcome page(std::vector<Json> rows, const Read& read) {
  std::sort(rows.begin(), rows.end(),
            [](const Json& a, const Json& b) { return a["id"] < b["id"]; });
  Outcome outcome;
  if (read.limit && rows.size() > static_cast<size_t>(*read.limit)) {
    outcome.has_next = true;
    rows.resize(static_cast<size_t>(*read.limit));
  }
  outcome.body = rows;
  return outcome;
}

template <typename S>
Outcome list_connectors(const std::map<int64_t, S>& connectors, const Read& read) {
  std::vector<Json> rows;
  for (const auto& [id, connector] : connectors) rows.push_back(show(connector));
  return page(std::move(rows), read);
}

bool fits(const Read& read, const std::string& external_id, bool flag, Moment updated_at) {
  return (!read.external_id || *read.external_id == external_id) &&
         (!read.flag || *read.flag == flag) && (!read.since || updated_at >= *read.since);
}

Outcome list_properties(Tenant& tenant, const Read& read) {
  std::vector<Json> rows;
  if (read.connector == Which::source) {
    Source* source = tenant.source(read.id);
    if (source == nullptr) return refused(404);
    for (const auto& [external_id, row] : source->rows) {
      if (!fits(read, external_id, !row.live(), row.updated_at)) continue;
      rows.push_back(show(*source, external_id, row));
    }
  } else {
    Target* target = tenant.target(read.id);
    if (target == nullptr) return refused(404);
    for (const auto& [external_id, row] : target->rows) {
      if (row.hidden() || !fits(read, external_id, row.manual(), row.updated_at)) continue;
      rows.push_back(show(tenant, *target, external_id, row));
    }
  }
  return page(std::move(rows), read);
}

Outcome show_property(Tenant& tenant, const Read& read) {
  Outcome outcome;
  if (read.connector == Which::source) {
    auto* found = tenant.source_row(read.id, read.property);
    if (found == nullptr) return refused(404);
    outcome.body = show(*tenant.source(read.id), found->first, found->second);
  } else {
    auto* found = tenant.target_row(read.id, read.property);
    if (found == nullptr) return refused(404);
    outcome.body = show(tenant, *tenant.target(read.id), found->first, found->second);
  }
  return outcome;
}

Outcome list_snapshots(Tenant& tenant, const Read& read) {
  const std::vector<Snapshot>* snapshots = nullptr;
  if (read.connector == Which::source) {
    auto* found = tenant.source_row(read.id, read.property);
    if (found != nullptr) snapshots = &found->second.snapshots;
  } else {
    auto* found = tenant.target_row(read.id, read.property);
    if (found != nullptr) snapshots = &found->second.snapshots;
  }
  if (snapshots == nullptr) return refused(404);
  std::vector<Json> rows;
  for (const Snapshot& snapshot : *snapshots) rows.push_back(show_snapshot(snapshot));
  return page(std::move(rows), read);
}

template <typename S>
Outcome show_one(const S* connector) {
  if (connector == nullptr) return refused(404);
  Outcome outcome;
  outcome.body = show(*connector);
  return outcome;
}

}  // namespace

Json show(const Source& source) { return show_connector(source, source.live()); }
Json show(const Target& target) { return show_connector(target, target.live()); }

Json show(const Source& source, const std::string& external_id, const SourceRow& row) {
  return {{"id", row.id},
          {"external_id", external_id},
          {"data", row.data->value},
          {"hash", row.data->hash},
          {"version", row.version},
          {"created_at", time_text(row.created_at)},
          {"updated_at", time_text(row.updated_at)},
          {"source_id", source.id},
          {"removed_at", time_or_null(row.removed_at)}};
}

Json show(const Tenant& tenant, const Target& target, const std::string& external_id,
          const TargetRow& row) {
  Json owner = row.source_property_id == 0 ? Json() : Json(row.source_property_id);
  return {{"id", row.id},
          {"external_id", external_id},
          {"data", row.data->value},
          {"hash", row.data->hash},
          {"version", row.version},
          {"created_at", time_text(row.created_at)},
          {"updated_at", time_text(row.updated_at)},
          {"target_id", target.id},
          {"source_property_id", owner},
          {"has_manual_changes", row.manual()},
          {"warning", show_warning(tenant, row)},
          {"sync_status", status_name(row.status)},
          {"last_synced", time_or_null(row.last_synced)}};
}

Outcome answer_read(Tenant& tenant, const Read& read) {
  bool of_source = read.connector == Which::source;
  switch (read.what) {
    case Read::What::connector:
      return of_source ? show_one(tenant.source(read.id)) : show_one(tenant.target(read.id));
    case Read::What::connectors:
      return of_source ? list_connectors(tenant.sources, read)
                       : list_connectors(tenant.targets, read);
    case Read::What::properties:
      return list_properties(tenant, read);
    case Read::What::property:
      return show_property(tenant, read);
    case Read::What::snapshots:
      return list_snapshots(tenant, read);
    case Read::What::logs: {
      std::vector<Json> rows;
      for (const LogRow& log : tenant.logs) rows.push_back(show_log(log));
      return page(std::move(rows), read);
    }
  }
  return refused(404);
}

}  // namespace simulation
