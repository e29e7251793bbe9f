// Tenants and their API keys. A key is shown once, when it is made; what is stored of it is its
// hash (access.h). Each key that is made or revoked leaves a log row.
#pragma once

#include <optional>
#include <string>

#include "core/base/ids.h"
#include "core/base/invocation.h"
#include "core/base/result.h"
#include "core/store/store.h"

namespace sm::flow {

struct NewTenant {
  int64_t id = 0;
  std::string api_key;
  std::string created_at;
};

// A tenant with its first key: the one that was chosen, else one of ours. Errors: conflict, where
// somebody has that key; not_configured; those of the store.
Task<Result<NewTenant>> create_tenant(Invocation& in, std::string name,
                                      std::optional<std::string> chosen_key);

Task<Result<store::Held<store::TenantByIdRow>>> find_tenant(Invocation& in, TenantId tenant);

struct NewKey {
  int64_t id = 0;
  std::string api_key;
  std::string created_at;
};

// Errors: not_configured; those of the store.
Task<Result<NewKey>> create_key(Invocation& in, TenantId tenant);

// The key as it is then; one that was revoked already stays as it is. Errors: not_found; conflict,
// where it is the tenant's last; those of the store.
Task<Result<store::Held<store::KeyRow>>> revoke_key(Invocation& in, TenantId tenant, int64_t id);

}  // namespace sm::flow
