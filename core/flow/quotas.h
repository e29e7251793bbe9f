// What a tenant may have. A batch that makes it more ends with a guard on what there is then, so
// that nothing is half-done, and two writers cannot pass a quota together.
//
// The store tells what is used: properties, sources, targets and keys by counting, data by a sum in
// the tenant's row. Every batch that stores data adds to it, and a trigger takes away what is
// dropped (schema/README.md).
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "core/base/ids.h"
#include "core/base/invocation.h"
#include "core/base/limits.h"
#include "core/flow/allowance.h"
#include "core/store/rows.h"

namespace sm::flow {

enum class Quota { properties, data_bytes, sources, targets, keys };

inline constexpr std::array<Allowance, 5> kQuotas = {{
    {"properties", "MAX_PROPERTIES", kDefaultProperties},
    {"data_bytes", "MAX_DATA_BYTES", kDefaultDataBytes},
    {"sources", "MAX_SOURCES", kDefaultConnectors},
    {"targets", "MAX_TARGETS", kDefaultConnectors},
    {"keys", "MAX_KEYS", kDefaultKeys},
}};

// How much of each a tenant has, in the order of kQuotas, from the row of tenant_usage.
using Usage = std::array<int64_t, kQuotas.size()>;
Usage read_usage(store::Rows& rows);

// Behind what makes the tenant's properties, sources, targets or keys more.
void append_guard(std::vector<Statement>& batch, const Invocation& in, TenantId tenant,
                  Quota quota);

// Behind what stores so many bytes of data.
void append_stored(std::vector<Statement>& batch, const Invocation& in, TenantId tenant,
                   int64_t bytes);

// The error of a batch that such a guard refused, as a client is told it: quota_exceeded, with the
// limit and what the tenant has. Other errors as they are.
Task<Error> explained(Invocation& in, TenantId tenant, Error error);

}  // namespace sm::flow
