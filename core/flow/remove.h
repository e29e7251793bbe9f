// Removes one property of a source, as a full import that lacks it would.
#pragma once

#include "core/base/ids.h"
#include "core/base/invocation.h"
#include "core/base/result.h"
#include "core/store/store.h"

namespace sm::flow {

// The row as it is then. One that is removed already stays
// as it is. Errors: not_found; guard after kMaxLostRaces lost races; those of the store.
Task<Result<store::Held<store::SourcePropertyRow>>> remove_property(Invocation& in, TenantId tenant,
                                                                    SourceId source,
                                                                    PropertyId property);

}  // namespace sm::flow
