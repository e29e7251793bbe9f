// What the log tells of an operation: one row, whatever becomes of it. A write that works inserts
// its row in its batch; one that is refused by state or fails on our side leaves a row that says
// so. An operation of several batches inserts a row that is `running` with the first, and brings it
// up to date with each.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "core/base/error.h"
#include "core/base/ids.h"
#include "core/base/invocation.h"
#include "core/base/result.h"
#include "core/flow/quotas.h"

namespace sm::flow {

// An operation as its log row names it.
struct Operation {
  TenantId tenant;
  std::string type;  // sync_type
  std::optional<SourceId> source = {};
  std::optional<TargetId> target = {};
  std::string sync_id = {};
  std::string started_at = {};
};

// The operation with an id of its own, beginning now.
Operation begun(Invocation& in, Operation operation);

// The row of a batch that does all of the operation, or the first part of it.
struct LogFigures {
  std::string status = "success";
  int64_t total = 0;
  int64_t updated = 0;
  int64_t failed = 0;
  std::optional<std::string> stats = {};
  std::optional<std::string> error_message = {};
};
Statement log_row(const Operation& operation, LogFigures figures, Time now);

// Logs a refusal by state (409) or by a quota, and what fails on our side (5xx), as far as the
// store answers; other errors leave no row. A row of the operation that is `running` becomes
// `partial`.
Task<Result<Unit>> log_failure(Invocation& in, Operation operation, Error error);

// Does the work of an operation, and logs it where it fails. Errors: those of the work, but that of
// a quota's guard is explained.
template <typename T>
Task<Result<T>> logged(Invocation& in, Operation operation, Task<Result<T>> work) {
  Result<T> done = co_await std::move(work);
  if (!done.ok()) {
    done = co_await explained(in, operation.tenant, std::move(done).error());
    [[maybe_unused]] Result<Unit> logged =
        co_await log_failure(in, std::move(operation), done.error());
  }
  co_return done;
}

}  // namespace sm::flow
