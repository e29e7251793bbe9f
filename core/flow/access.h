// Who may call: API keys of tenants, and the administrator's token for signing up.
//
// A key is stored as HMAC-SHA-256 with the deployment's pepper, so that a copy of the database
// opens nothing. Keys that we make look like `sm_<40 random characters><8 of a checksum>`: a
// mistyped one is refused without asking the store.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/base/ids.h"
#include "core/base/invocation.h"
#include "core/base/result.h"

namespace sm::flow {

// Missing, malformed, unknown and revoked keys: unauthorized, with one same text.
Task<Result<TenantId>> tenant_of_key(Invocation& in, std::optional<std::string_view> key);

// Whether the caller may create a tenant. Errors: unauthorized.
Status check_signup(const Deployment& deployment, std::optional<std::string_view> authorization);

// A new key of ours.
std::string make_key(Invocation& in);

// What is stored of a key. Errors: not_configured where the deployment has no pepper.
Result<std::string> hash_key(const Deployment& deployment, std::string_view key);

}  // namespace sm::flow
