// Who may call: API keys of tenants, and the administrator's token.
//
// A key is stored as HMAC-SHA-256 with the deployment's pepper, so that a copy of the database
// opens nothing. Keys that we make look like `sm_<tenant>_<40 random characters><8 of a checksum>`:
// a mistyped one is refused without asking the store, and since it names its tenant, whether it is
// good is found out together with the first thing that the call asks of the store. The store stops
// there where it is not, so that a key that names a tenant falsely costs and tells as much as any
// that does not exist. Keys without a tenant (older ones, and those that users chose) are looked up
// first, which is one call more.
//
// The same look at the key tells whether its tenant is suspended, whether it may write, and whether
// it is yet to be written down that it was used in this hour. That is written behind the answer.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/ids.h"
#include "core/base/invocation.h"
#include "core/base/result.h"

namespace sm::flow {

// What a call is about to do with the key.
enum class Use { read, write };

// The tenant of a key, of which the invocation's open conditions may have to be settled before
// anything else is true. Errors, here or where the condition does not hold: unauthorized, with one
// same text for missing, malformed, unknown, expired and revoked keys; forbidden, where the tenant
// is suspended, or the key may only read; rate_limited, by the key, or, where there is none that
// could be one, by the client's address.
Task<Result<TenantId>> tenant_of_key(Invocation& in, std::optional<std::string_view> key, Use use,
                                     std::string_view address);

// Asks alone whether the key is good, where nothing that was asked of the store has told yet.
// Errors: unauthorized; those of the store.
Task<Result<Unit>> admit(Invocation& in);

// Writes what invocations put off: when a key was used. What fails is told to nobody, since the
// next call with the key puts it off again.
Task<Unit> write_put_off(Invocation& in, std::vector<Statement> writes);

// Whether the caller is the administrator. Errors: not_administrator; not_configured, where the
// deployment's token is too short.
Status check_administrator(const Deployment& deployment,
                           std::optional<std::string_view> authorization);

// Whether the caller may create a tenant. Errors: those of check_administrator.
Status check_signup(const Deployment& deployment, std::optional<std::string_view> authorization);

// A new key of ours.
std::string make_key(Invocation& in, TenantId tenant);

// What is stored of a key. Errors: not_configured where the deployment has no pepper.
Result<std::string> hash_key(const Deployment& deployment, std::string_view key);

}  // namespace sm::flow
