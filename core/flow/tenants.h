// Tenants and their API keys. A key is shown once, when it is made; what is stored of it is its
// hash (access.h). Each key that is made or revoked leaves a log row of its tenant, and so does a
// tenant that is suspended or resumed: its stats name the key, and say whether it was the
// administrator.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/base/ids.h"
#include "core/base/invocation.h"
#include "core/base/result.h"
#include "core/flow/quotas.h"
#include "core/store/store.h"

namespace sm::flow {

using HeldTenant = store::Held<store::TenantRow>;
using HeldKey = store::Held<store::KeyRow>;

// A key of this scope may do everything, any other one may only read.
inline constexpr std::string_view kFullScope = "full";

// Who does something to a tenant.
enum class Actor { tenant, administrator };

struct NewTenant {
  int64_t id = 0;
  std::string api_key;
  std::string created_at;
};

// A tenant with its first key: the one that was chosen, else one of ours. `address` is that of the
// client, of whose sign-ups it is one; none where it is the administrator's doing. Errors:
// conflict, where somebody has that key; rate_limited; not_configured; those of the store.
Task<Result<NewTenant>> create_tenant(Invocation& in, std::string name,
                                      std::optional<std::string> chosen_key,
                                      std::optional<std::string> address);

struct TenantUsage {
  HeldTenant tenant;
  Usage used;
};

// Errors: not_found; those of the store.
Task<Result<TenantUsage>> find_usage(Invocation& in, TenantId tenant);

// Errors: not_found; those of the store.
Task<Result<HeldTenant>> find_tenant(Invocation& in, TenantId tenant);

// Whether the keys of a tenant open anything.
enum class Standing { suspended, active };

// The tenant as it is then; one that has the standing already stays as it is. Errors: not_found;
// those of the store.
Task<Result<HeldTenant>> set_standing(Invocation& in, TenantId tenant, Standing standing);

// What a key shall be.
struct KeyOrder {
  std::optional<std::string> name = {};
  std::string scope = std::string(kFullScope);
  std::optional<std::string> expires_at = {};
};

struct NewKey {
  int64_t id = 0;
  std::string api_key;
  std::string created_at;
  KeyOrder order;
};

// Errors: not_found, where there is no such tenant; not_configured; those of the store.
Task<Result<NewKey>> create_key(Invocation& in, TenantId tenant, Actor actor, KeyOrder order);

// The key as it is then; one that was revoked already stays as it is. Errors: not_found; conflict,
// where it is the tenant's last full one that is alive; those of the store.
Task<Result<HeldKey>> revoke_key(Invocation& in, TenantId tenant, int64_t id);

}  // namespace sm::flow
