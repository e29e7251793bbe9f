// Sources and targets as rows: creating them with their secrets sealed from the first row on,
// changing. Deleting stands in deletion.h.
#pragma once

#include <optional>
#include <string>

#include "core/base/ids.h"
#include "core/base/invocation.h"
#include "core/base/result.h"
#include "core/flow/log.h"
#include "core/store/store.h"

namespace sm::flow {

struct ConnectorRow {
  int64_t id = 0;
  std::string name;
  std::string type;
  std::string config;  // canonical JSON, secrets masked
  int64_t property_count = 0;
  std::string created_at;
  std::string updated_at;
  int64_t revision = 0;
};

// An operation on a source or a target, as the log names it.
Operation operation_on(TenantId tenant, Connector connector, int64_t id);

ConnectorRow connector_row(const store::ConnectorRow& row);

// Errors: not_found.
Task<Result<ConnectorRow>> find_connector(Invocation& in, TenantId tenant, Connector connector,
                                          int64_t id);

struct NewConnector {
  TenantId tenant;
  Connector connector;
  std::string name;
  std::string type;
  std::string config;  // canonical JSON object
};

// Errors: invalid, under `/config`; not_configured where there are secrets and no key to seal them;
// those of the store.
Task<Result<ConnectorRow>> create_connector(Invocation& in, NewConnector given);

// What a change does when another one came first: with If-Match it was meant for the row as it was.
enum class LostRace { try_again, give_up };

struct ConnectorChange {
  TenantId tenant;
  Connector connector;
  std::optional<std::string> name;
  std::optional<std::string> config_patch;  // canonical JSON, RFC 7396
  LostRace lost_race;
};

// What a patch of a configuration gives must fit, whatever it is merged into. Errors: invalid.
Status check_config_patch(const Invocation& in, Connector connector, std::string_view patch);

// Changes `row`, which was read before; a lost race starts again from the row as it is then. A
// change that leaves everything as it is writes nothing. Errors: those of create_connector,
// not_found, guard, precondition_failed.
Task<Result<ConnectorRow>> change_connector(Invocation& in, ConnectorRow row,
                                            ConnectorChange change);

}  // namespace sm::flow
