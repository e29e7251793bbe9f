// How much clients may ask for in a time. Requests are counted by the host, which is asked before
// the store is; sign-ups by the store, since they are few and an hour is long; of one tenant's
// writes some are let in at once, and the others wait in the host for their turn.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/ids.h"
#include "core/base/invocation.h"
#include "core/base/limits.h"
#include "core/base/result.h"
#include "core/flow/allowance.h"

namespace sm::flow {

// With one key, or, where a route takes none, from one address.
inline constexpr Allowance kRequests{"requests", "MAX_REQUESTS_PER_SECOND",
                                     kDefaultRequestsPerSecond};
// From one address.
inline constexpr Allowance kSignups{"signups", "MAX_SIGNUPS_PER_HOUR", kDefaultSignupsPerHour};
// Of one tenant.
inline constexpr Allowance kWrites{"writes", "MAX_WRITES_AT_ONCE", kDefaultWritesAtOnce};
inline constexpr std::array<Allowance, 3> kRates = {{kRequests, kSignups, kWrites}};

// Errors: rate_limited, where this was one request too much of `of`, which is what the host counts
// by: nothing that a client could choose for another.
Task<Result<Unit>> count_request(Invocation& in, std::string of);

// Whether the host can count requests, where they are to be counted.
Task<bool> counts_requests(Invocation& in);

// What one client can easily have many of counts as one address: of IPv6, the network of 64 bits.
std::string network_of(std::string_view address);

// What the requests of an address are counted by.
std::string counted_address(std::string_view address);

// From here on, the invocation's writes are a tenant's.
void take_turns(Invocation& in, TenantId tenant);

// Counts a sign-up, together with it.
class Signup {
 public:
  // `address` is the client's; none where nobody counts: it is the administrator's doing.
  Signup(const Invocation& in, std::optional<std::string_view> address);

  // Refuses a batch of one who has no more sign-ups in this hour.
  void append_guard(std::vector<Statement>& batch) const;
  void append_count(std::vector<Statement>& batch) const;
  // The error of a batch that was refused so: rate_limited. Other errors as they are.
  Error explained(Error error) const;

 private:
  std::optional<int64_t> most_;
  std::string by_;  // the address, as the store has it
  Time now_;
};

}  // namespace sm::flow
