#include "core/flow/allowance.h"

#include <charconv>

#include "core/base/limits.h"

namespace sm::flow {
namespace {

// Nothing for a text that is no such number.
std::optional<int64_t> read(std::string_view text) {
  int64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  bool fits = error == std::errc() && end == text.data() + text.size() && number >= 0 &&
              number <= kMaxAllowance;
  return fits ? std::optional(number) : std::nullopt;
}

}  // namespace

std::optional<int64_t> limit_of(const Deployment& deployment, const Allowance& allowance) {
  int64_t limit = read(deployment.var(allowance.variable)).value_or(allowance.standard);
  return limit > 0 ? std::optional(limit) : std::nullopt;
}

bool is_valid(const Deployment& deployment, const Allowance& allowance) {
  std::string_view set = deployment.var(allowance.variable);
  return set.empty() || read(set).has_value();
}

}  // namespace sm::flow
