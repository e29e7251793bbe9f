#include "core/flow/configure.h"

#include "core/base/limits.h"
#include "core/flow/commit.h"
#include "core/flow/deployment.h"
#include "core/flow/log.h"
#include "core/json/canonical.h"
#include "core/json/cursor.h"
#include "core/json/merge_patch.h"
#include "core/store/store.h"
#include "core/sync/config.h"
#include "core/sync/secrets.h"

namespace sm::flow {
namespace {

std::string_view connector_name(Connector connector) {
  return connector == Connector::source ? "source" : "target";
}

Status check(const Invocation& in, Connector connector, std::string_view config) {
  bool any = in.deployment().var("ALLOW_PRIVATE_ADDRESSES") == "true";
  FieldErrors errors = sync::check_config(
      connector, config, any ? sync::Addresses::any : sync::Addresses::public_only);
  if (!errors.empty()) return invalid_body(std::move(errors));
  // Several changes, each of which fits, may add up to more.
  Arena arena(kUncheckedBodyBytes);
  switch (json::canonicalize(config, arena, kMaxBodyBytes).refusal) {
    case json::Refusal::none:
      return Unit{};
    case json::Refusal::too_large:
      return invalid_field("/config", "must have at most 1 MiB");
    case json::Refusal::too_many_values:
      return invalid_field("/config", "must have at most 50,000 values");
    default:
      return invalid_field("/config", "must not be nested deeper than 128 levels");
  }
}

// The text that is stored of a config's secrets: new ones are sealed for their place, of others the
// seal stays.
Task<Result<std::string>> seal_secrets(Invocation& in, TenantId tenant, Connector connector,
                                       int64_t id, const sync::SplitConfig& config,
                                       sync::Seals seals) {
  const std::vector<sync::Secret>& secrets = config.secrets;
  if (secrets.empty()) co_return sync::write_seals(config.places, seals);
  if (auto key = digest_of(in.deployment(), kEncryptionKey); !key.ok()) {
    co_return std::move(key).error();
  }
  std::vector<Effect> effects;
  for (const sync::Secret& secret : secrets) {
    effects.push_back(Seal{secret.value, std::to_string(tenant.value) + "|" +
                                             std::string(connector_name(connector)) + "|" +
                                             std::to_string(id) + "|" + secret.pointer});
  }
  std::vector<Reply> replies = co_await in.perform(std::move(effects));
  for (size_t i = 0; i < replies.size(); ++i) {
    if (replies[i].error) co_return std::move(*replies[i].error);
    seals[secrets[i].pointer] = replies[i].key_id + ":" + replies[i].sealed;
  }
  co_return sync::write_seals(config.places, seals);
}

struct StoredSeals {
  sync::Seals seals;
  std::string text;      // of them
  bool as_rows = false;  // one for each, in place of the text
};

Task<Result<StoredSeals>> stored_seals(Invocation& in, TenantId tenant, Connector connector,
                                       const ConnectorRow& row) {
  std::vector<Statement> statements;
  statements.push_back(store::connector_seals(connector, tenant, row.id));
  statements.push_back(store::connector_old_seals(connector, tenant, row.id));
  CO_TRY(std::vector<store::Rows> rows, co_await store::query_all(in, std::move(statements)));
  StoredSeals stored;
  for (store::ConnectorOldSealsRow old; rows[1].next(old); stored.as_rows = true) {
    stored.seals.emplace(old.pointer, std::string(old.key_id) + ":" + std::string(old.sealed));
  }
  store::ConnectorSealsRow text;
  if (rows[0].next(text)) {
    stored.text = text.seals;
    stored.seals = sync::read_seals(row.config, text.seals);
  }
  co_return stored;
}

void append_seals(std::vector<Statement>& batch, TenantId tenant, Connector connector, int64_t id,
                  std::string seals) {
  batch.push_back(seals.empty() ? store::seals_deleted(connector, tenant, id)
                                : store::seals_stored(connector, tenant, id, std::move(seals)));
}

Task<Result<ConnectorRow>> attempt_change(Invocation& in, ConnectorRow row,
                                          const ConnectorChange& change) {
  ConnectorRow changed = row;
  if (change.name) changed.name = *change.name;
  std::vector<Statement> batch;
  batch.push_back(store::guard_connector(change.connector, change.tenant, row.id, row.revision));
  if (change.config_patch) {
    std::string merged = json::merge_patch(row.config, *change.config_patch);
    if (json::type_of(merged) != json::ValueType::object) merged = "{}";
    CO_TRY([[maybe_unused]] Unit fits, check(in, change.connector, merged));
    CO_TRY(StoredSeals stored, co_await stored_seals(in, change.tenant, change.connector, row));
    CO_TRY(sync::SplitConfig config, sync::split_secrets(merged));
    CO_TRY([[maybe_unused]] Unit kept, sync::check_kept(config, row.config, stored.seals));
    changed.config = std::move(config.masked);
    // Rows become a text as soon as anything changes.
    bool rows_stay = stored.as_rows && config.secrets.empty() && changed.config == row.config;
    CO_TRY(std::string seals, co_await seal_secrets(in, change.tenant, change.connector, row.id,
                                                    config, std::move(stored.seals)));
    if (seals != stored.text && !rows_stay) {
      append_seals(batch, change.tenant, change.connector, row.id, std::move(seals));
    }
    if (stored.as_rows && !rows_stay) {
      batch.push_back(store::old_seals_deleted(change.connector, change.tenant, row.id));
    }
  }
  bool same = batch.size() == 1 && changed.name == row.name && changed.config == row.config;
  if (same) co_return row;
  // Warnings name sources: targets that this one feeds look different from now on.
  if (change.connector == Connector::source && changed.name != row.name) {
    batch.push_back(store::fed_targets_bumped(change.tenant, SourceId{row.id}));
  }
  changed.updated_at = to_text(in.now());
  changed.revision = row.revision + 1;
  batch.push_back(store::connector_changed(change.connector, change.tenant, row.id, changed.name,
                                           changed.config, changed.updated_at));
  CO_TRY([[maybe_unused]] auto written, co_await store::batch(in, std::move(batch)));
  co_return changed;
}

Task<Result<ConnectorRow>> create(Invocation& in, NewConnector given) {
  CO_TRY([[maybe_unused]] Unit fits, check(in, given.connector, given.config));
  CO_TRY(sync::SplitConfig config, sync::split_secrets(given.config));
  CO_TRY([[maybe_unused]] Unit kept, sync::check_kept(config, "{}", {}));
  std::vector<Statement> reservation;
  reservation.push_back(
      store::ids_reserved(given.connector == Connector::source ? "sources" : "targets", 1));
  CO_TRY(std::vector<store::Rows> ids, co_await store::unseen_batch(in, std::move(reservation)));
  std::string now = to_text(in.now());
  ConnectorRow row{store::only<store::IdsReservedRow>(ids[0]).first,
                   given.name,
                   given.type,
                   config.masked,
                   0,
                   now,
                   now,
                   1};
  std::vector<Statement> batch;
  batch.push_back(store::connector_added(given.connector, given.tenant, row.id, row.name, row.type,
                                         row.config, now));
  CO_TRY(std::string seals,
         co_await seal_secrets(in, given.tenant, given.connector, row.id, config, {}));
  if (!seals.empty()) {
    append_seals(batch, given.tenant, given.connector, row.id, std::move(seals));
  }
  append_guard(batch, in, given.tenant,
               given.connector == Connector::source ? Quota::sources : Quota::targets);
  CO_TRY([[maybe_unused]] Unit written,
         co_await commit_shown(in, std::move(batch),
                               store::connector_by_id(given.connector, given.tenant, row.id)));
  co_return row;
}

Task<Result<ConnectorRow>> change(Invocation& in, ConnectorRow row, ConnectorChange given) {
  Races races(in);
  while (true) {
    Result<ConnectorRow> changed = co_await attempt_change(in, row, given);
    if (!races.lost(changed)) co_return changed;
    if (given.lost_race == LostRace::give_up) co_return precondition_failed();
    CO_TRY(row, co_await find_connector(in, given.tenant, given.connector, row.id));
  }
}

}  // namespace

Operation operation_on(TenantId tenant, Connector connector, int64_t id) {
  Operation operation{tenant, "manual"};
  if (connector == Connector::source) operation.source = SourceId{id};
  if (connector == Connector::target) operation.target = TargetId{id};
  return operation;
}

ConnectorRow connector_row(const store::ConnectorRow& row) {
  return {row.id,
          std::string(row.name),
          std::string(row.type),
          std::string(row.config),
          row.property_count,
          std::string(row.created_at),
          std::string(row.updated_at),
          row.revision};
}

Task<Result<ConnectorRow>> find_connector(Invocation& in, TenantId tenant, Connector connector,
                                          int64_t id) {
  CO_TRY(store::Rows rows,
         co_await store::query(in, store::connector_by_id(connector, tenant, id)));
  store::ConnectorRow row;
  if (!rows.next(row)) co_return not_found();
  co_return connector_row(row);
}

Task<Result<ConnectorRow>> create_connector(Invocation& in, NewConnector given) {
  Operation operation = begun(in, {given.tenant, "manual"});
  return logged(in, std::move(operation), create(in, std::move(given)));
}

Status check_config_patch(const Invocation& in, Connector connector, std::string_view patch) {
  std::string given = json::merge_patch("{}", patch);
  if (json::type_of(given) != json::ValueType::object) return Unit{};
  return check(in, connector, given);
}

Task<Result<ConnectorRow>> change_connector(Invocation& in, ConnectorRow row,
                                            ConnectorChange given) {
  Operation operation = begun(in, operation_on(given.tenant, given.connector, row.id));
  return logged(in, std::move(operation), change(in, std::move(row), std::move(given)));
}

}  // namespace sm::flow
