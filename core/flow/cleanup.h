// Drops old snapshots, and the data that nothing points to any more: when a client asks for it, and
// each night (retention.h).
//
// In slices, each one batch, so that a large tenant passes the store's limits. What a slice deleted
// stays deleted if a later one fails, and running it again goes on.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/base/ids.h"
#include "core/base/invocation.h"
#include "core/base/result.h"

namespace sm::flow {

// What a log row has counted before anything is deleted.
inline constexpr const char* kNothingDropped = R"({"source_snapshots":0,"target_snapshots":0})";

// For how long snapshots and hidden rows are kept: the deployment's RETENTION_DAYS, or 30 where it
// sets none. What is no number of days deletes nothing by mistake: it counts as the longest time,
// and /health names it.
int64_t retention_days(const Deployment& deployment);
bool has_valid_retention(const Deployment& deployment);

// Rows with ids (after, last] that one batch looks at; nothing is left where `rows` is 0.
struct CleanupSlice {
  int64_t after = 0;
  int64_t last = 0;
  int64_t rows = 0;
};

// Reads a slice: the statement gives its last id, and how many rows it has.
Task<Result<CleanupSlice>> read_slice(Invocation& in, int64_t after, Statement statement);

// The next slice of a side's property rows, and of the data that lost a pointer.
Task<Result<CleanupSlice>> next_properties(Invocation& in, TenantId tenant, Side side,
                                           int64_t after);
Task<Result<CleanupSlice>> next_orphans(Invocation& in, TenantId tenant, int64_t after);

// Drops the snapshots of a slice that are older than `before`, and adds their number to the log row
// `log`: without one, to the row that the batch inserts.
void append_snapshot_drops(std::vector<Statement>& batch, TenantId tenant, Side side,
                           const CleanupSlice& slice, const std::string& before,
                           std::optional<int64_t> log);
void append_orphan_drops(std::vector<Statement>& batch, TenantId tenant, const CleanupSlice& slice);

// All slices. The first one begins the log row, each adds what it deleted, so that a clean-up that
// breaks off has told what is gone. Gives the numbers as the row has them, a JSON object. Errors:
// overloaded, where there is more than one request may do; those of the store.
Task<Result<std::string>> clean_up(Invocation& in, TenantId tenant, Time before);

}  // namespace sm::flow
