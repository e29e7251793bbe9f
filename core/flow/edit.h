// An edit of one target property by hand: a merge patch on its data, its old state kept as a
// snapshot.
#pragma once

#include <optional>
#include <string>

#include "core/base/ids.h"
#include "core/base/invocation.h"
#include "core/base/result.h"
#include "core/store/store.h"

namespace sm::flow {

struct Edit {
  TenantId tenant;
  TargetId target;
  PropertyId property;
  std::string patch;  // canonical JSON object, RFC 7396
  std::optional<int64_t>
      only_revision;  // of the row that the edit was made for, where the client named it
};

// The row as it is then. Edits that race are all kept: a lost
// race reads the row again and patches what it finds. A patch that leaves the data as it is writes
// nothing. Errors: not_found; precondition_failed where the row is of another revision; invalid
// where the result is no storable property; guard after kMaxLostRaces lost races; those of the
// store.
Task<Result<store::Held<store::TargetPropertyRow>>> edit_property(Invocation& in, Edit edit);

}  // namespace sm::flow
