// The secrets of a deployment: which there are, how large they must be, and what is worked with
// where they are as they must be.
//
// The core never sees them. Of ADMIN_TOKEN it has the SHA-256; of API_KEY_PEPPER what is left of it
// in an HMAC (hmac_sha256_behind), so that what it signs is what the pepper itself would; of
// ENCRYPTION_KEY, which hosts seal with, the size alone.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "core/base/invocation.h"
#include "core/base/limits.h"
#include "core/base/result.h"

namespace sm::flow {

struct SecretRule {
  enum class Need { required, optional };
  std::string_view name;
  size_t least;  // bytes
  size_t most = SIZE_MAX;
  Need need = Need::required;
};

inline constexpr SecretRule kPepper{"API_KEY_PEPPER", kMinPepperBytes};
inline constexpr SecretRule kEncryptionKey{"ENCRYPTION_KEY", kEncryptionKeyBytes,
                                           kEncryptionKeyBytes};
inline constexpr SecretRule kAdminToken{
    .name = "ADMIN_TOKEN", .least = kMinAdminTokenBytes, .need = SecretRule::Need::optional};
inline constexpr SecretRule kSecretRules[] = {kPepper, kEncryptionKey, kAdminToken};

enum class SecretState { missing, wrong_size, usable };
SecretState state_of(const Deployment& deployment, const SecretRule& rule);

// The digest of a secret that is as it must be. Errors: not_configured, which says why it is not.
Result<std::string_view> digest_of(const Deployment& deployment, const SecretRule& rule);

}  // namespace sm::flow
