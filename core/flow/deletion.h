// Sources and targets go at once, and their rows behind that.
//
// One small batch marks the connector as deleted: from then on nothing finds it, and what it fed
// has no owner. Its rows go in slices, each one batch, so that everybody else gets in between:
// some of them behind the answer, what is left with each wake (wake.h). A slice takes the first
// rows that are there, so it does not matter who takes it, or how often; nobody keeps a position.
#pragma once

#include <vector>

#include "core/base/ids.h"
#include "core/base/invocation.h"
#include "core/base/result.h"
#include "core/flow/configure.h"

namespace sm::flow {

struct DeletedConnector {
  int64_t properties = 0;
  int64_t snapshots = 0;
};

// Deletes the connector that `row` was read of; a lost race starts again from the row as it is
// then. Gives what goes with it: the properties that a list would show, and all snapshots. Errors:
// not_found, guard; those of the store.
Task<Result<DeletedConnector>> delete_connector(Invocation& in, TenantId tenant,
                                                Connector connector, ConnectorRow row);

// One that is marked, and whose rows are yet to go.
struct Deleted {
  TenantId tenant;
  Connector connector;
  int64_t id = 0;
};

// Of all tenants, those on which nobody works any more as of a time.
Task<Result<std::vector<Deleted>>> read_deleted(Invocation& in, Time as_of);

// Takes its rows away, and its own in the end, or as many of them as `slices` allow, which it takes
// from. Errors: those of the store.
Task<Result<Unit>> clear_away(Invocation& in, Deleted of, int& slices);

// The same behind the answer to its deletion.
Task<Result<Unit>> clear_away_behind(Invocation& in, Deleted of);

}  // namespace sm::flow
