// An edit of one target property by hand: a merge patch on its data, its old state kept as a
// snapshot.
#pragma once

#include <string>

#include "core/base/ids.h"
#include "core/base/invocation.h"
#include "core/base/result.h"
#include "core/http/request.h"
#include "core/store/store.h"

namespace sm::flow {

struct Edit {
  TenantId tenant;
  TargetId target;
  PropertyId property;
  std::string patch;  // canonical JSON object, RFC 7396
  // Its If-Match names the row that the edit was made for, by its tag.
  http::Request request;
  std::string (*tag_of)(TenantId tenant, const store::TargetPropertyRow& row);
};

// The row as it is then. Edits that race are all kept: a lost
// race reads the row again and patches what it finds. A patch that leaves the data as it is writes
// nothing. Errors: not_found; precondition_failed where it was made for another row; invalid
// where the result is no storable property; guard after kMaxLostRaces lost races; those of the
// store.
Task<Result<store::Held<store::TargetPropertyRow>>> edit_property(Invocation& in, Edit edit);

}  // namespace sm::flow
