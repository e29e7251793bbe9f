// One property of a source or target, as its row shows it.
#pragma once

#include "core/base/ids.h"
#include "core/base/invocation.h"
#include "core/base/result.h"
#include "core/store/rows.h"

namespace sm::flow {

// The row of store::source_property or store::target_property; none where there is no such
// property. Errors: those of the store.
Task<Result<store::Rows>> find_property(Invocation& in, TenantId tenant, Connector connector,
                                        int64_t parent, PropertyId id);

}  // namespace sm::flow
