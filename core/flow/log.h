// The log row that every operation leaves, and what it is good for beside reading: it tells whether
// a batch whose outcome is unknown was committed.
#pragma once

#include <optional>
#include <string>

#include "core/base/error.h"
#include "core/base/ids.h"
#include "core/base/invocation.h"
#include "core/base/result.h"

namespace sm::flow {

std::string make_sync_id(Invocation& in);

// After a failed batch: where its outcome is unknown, looks for its log row, and gives that row's
// stats where it is there: the batch was committed. Where it is not there, the batch never was: the
// store takes one request after the other, so that one which it has not carried out before this
// look never reached it whole. Gives every other error back.
Task<Result<std::string>> settle_outcome(Invocation& in, TenantId tenant, std::string sync_id,
                                         Error error);

// The error of a batch that wrote nothing which anybody sees (a part that is staged): whatever
// became of it, nothing was changed.
Error when_unseen(Error error);

// What failed, for its log row.
struct Failure {
  TenantId tenant;
  std::string type;
  std::optional<SourceId> source;
  std::optional<TargetId> target;
  std::string started_at;
};

// Logs a refusal by state (409) and what fails on our side (5xx), as far as the store answers;
// other errors leave no row.
Task<Result<Unit>> log_failure(Invocation& in, Failure failure, Error error);

}  // namespace sm::flow
