// Drops old snapshots, and the data that nothing points to any more: when a client asks for it, and
// each night (retention.h).
//
// In slices, each one batch, so that a large tenant passes the store's limits and lets others in
// between. What a slice deleted stays deleted if a later one fails, and running it again goes on.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/base/ids.h"
#include "core/base/invocation.h"
#include "core/base/result.h"
#include "core/store/rows.h"

namespace sm::flow {

// What a log row has counted before anything is deleted.
inline constexpr const char* kNothingDropped = R"({"source_snapshots":0,"target_snapshots":0})";

// For how long snapshots and hidden rows are kept: the deployment's RETENTION_DAYS, or 30 where it
// sets none. What is no number of days deletes nothing by mistake: it counts as the longest time,
// and /health names it.
int64_t retention_days(const Deployment& deployment);
bool has_valid_retention(const Deployment& deployment);

// Old snapshots up to one, in the order of source or target, property and version.
struct SnapshotSlice {
  int64_t rows = 0;
  int64_t connector = 0;
  int64_t property = 0;
  int64_t version = 0;
};

// Data up to an id that may have lost their last pointer.
struct OrphanSlice {
  int64_t rows = 0;
  int64_t last = 0;
};

// How it is found out which data of a slice nothing points to any more
// (schema/queries/cleanup.sql).
enum class Search { scan, look_up };
// To look one datum up in one source or target costs as much as to read so many rows in a scan:
// three to five times the time, and once to twice the rows read.
inline constexpr int64_t kLookUpRows = 3;

// What one batch takes away, and from how much.
struct CleanupSlice {
  std::string before;  // snapshots that are older go
  SnapshotSlice source;
  SnapshotSlice target;
  OrphanSlice orphans;
  bool more = false;       // there is more behind it
  int64_t connectors = 0;  // sources and targets of the tenant
  int64_t size = 0;        // rows that a scan would read, counted to kCleanupScanRows and one more

  bool empty() const { return source.rows + target.rows + orphans.rows == 0; }
  // By what reads less: the look-ups' share grows with the slice, the scan's with the tenant.
  Search search() const;
};

Task<Result<CleanupSlice>> next_slice(Invocation& in, TenantId tenant, std::string before);

// Drops what is in the slice, and adds the number of snapshots to the log row `log`: without one,
// to the row that the batch inserts.
void append_drops(std::vector<Statement>& batch, TenantId tenant, const CleanupSlice& slice,
                  std::optional<int64_t> log);

// All slices. The first one begins the log row, each adds what it deleted, so that a clean-up that
// breaks off has told what is gone. Gives the numbers as the row has them, a JSON object. Errors:
// overloaded, where there is more than one request may do; those of the store.
Task<Result<std::string>> clean_up(Invocation& in, TenantId tenant, Time before);

}  // namespace sm::flow
