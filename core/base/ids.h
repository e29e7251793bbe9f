// Distinct types for distinct ids, so that the compiler finds a source's id where a target's
// belongs. All are positive integers below 2^53, which a JavaScript number holds exactly.
#pragma once

#include <cstdint>

namespace sm {

template <typename Tag>
struct Id {
  int64_t value = 0;
  friend bool operator==(Id a, Id b) { return a.value == b.value; }
};

using TenantId = Id<struct TenantTag>;
using SourceId = Id<struct SourceTag>;
using TargetId = Id<struct TargetTag>;
using PropertyId = Id<struct PropertyTag>;  // of a source's or a target's property row

// Sources and targets have the same shape of row, configuration and property lists; what they do is
// different.
enum class Connector { source, target };

// What a sync looks at: every property of the source, or those that changed since the pair's last
// sync.
enum class Scope { all, changed };

// How one statement numbers the rows that it creates (sync/numbering.h).
enum class Numbering { dense, ranked };

}  // namespace sm
