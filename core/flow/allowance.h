// Numbers that a deployment sets by a variable, each with a number that stands where it does not:
// what a tenant may have (quotas.h), and how much clients may ask for (rates.h). 0 is no limit.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/base/invocation.h"

namespace sm::flow {

struct Allowance {
  std::string_view name;      // as the API says it
  std::string_view variable;  // of the deployment
  int64_t standard;
};

// Nothing where there is no limit. A variable that is no number counts as not set: /health tells
// it.
std::optional<int64_t> limit_of(const Deployment& deployment, const Allowance& allowance);

// Whether the variable is not set, or a whole number.
bool is_valid(const Deployment& deployment, const Allowance& allowance);

}  // namespace sm::flow
