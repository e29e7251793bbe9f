// What the ids of a path must name before anything else about a request counts, and which of it is
// not there.
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/ids.h"
#include "core/base/invocation.h"
#include "core/base/result.h"

namespace sm::flow {

enum class Parent {
  none,
  tenant,      // the calling one
  any_tenant,  // for the administrator
  key,
  source,
  target,
  source_property,  // of a source
  target_property,  // of a target, not hidden
  pair,             // a source, and a target
};

// Looks up the rows that the ids of a path name, in one call of the store. Errors: not_found,
// which names the first that is missing, and says the same of a row of another tenant as of one
// that never was; those of the store.
Task<Status> find_parent(Invocation& in, TenantId tenant, Parent parent, std::vector<int64_t> ids);

}  // namespace sm::flow
