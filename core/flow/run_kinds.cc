// The kinds of run, and the flow of each. A new kind is a row here.
#include <array>

#include "core/flow/cleanup.h"
#include "core/flow/retention.h"
#include "core/flow/run.h"

namespace sm::flow {

std::span<const RunKind> run_kinds() {
  static constexpr std::array<RunKind, 1> kKinds = {{
      {kRetentionKind, "cleanup", kNothingDropped, next_retention, run_retention},
  }};
  return kKinds;
}

}  // namespace sm::flow
