// Who may call: API keys of tenants, and the administrator's token for signing up.
//
// A key is stored as HMAC-SHA-256 with the deployment's pepper, so that a copy of the database
// opens nothing. Keys that we make look like `sm_<tenant>_<40 random characters><8 of a checksum>`:
// a mistyped one is refused without asking the store, and since it names its tenant, whether it is
// good is found out together with the first thing that the call asks of the store. The store stops
// there where it is not, so that a key that names a tenant falsely costs and tells as much as any
// that does not exist. Keys without a tenant (older ones, and those that users chose) are looked up
// first, which is one call more.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/base/ids.h"
#include "core/base/invocation.h"
#include "core/base/result.h"

namespace sm::flow {

// The tenant of a key, of which the invocation's open conditions may have to be settled before
// anything else is true. Missing, malformed, unknown and revoked keys: unauthorized, with one same
// text, here or where the condition does not hold.
Task<Result<TenantId>> tenant_of_key(Invocation& in, std::optional<std::string_view> key);

// Asks alone whether the key is good, where nothing that was asked of the store has told yet.
// Errors: unauthorized; those of the store.
Task<Result<Unit>> admit(Invocation& in);

// Whether the caller may create a tenant. Errors: unauthorized.
Status check_signup(const Deployment& deployment, std::optional<std::string_view> authorization);

// A new key of ours.
std::string make_key(Invocation& in, TenantId tenant);

// What is stored of a key. Errors: not_configured where the deployment has no pepper.
Result<std::string> hash_key(const Deployment& deployment, std::string_view key);

}  // namespace sm::flow
