#include "core/flow/deployment.h"

#include <string>

namespace sm::flow {

namespace {

const SecretDigest* find(const Deployment& deployment, std::string_view name) {
  for (const SecretDigest& secret : deployment.secrets) {
    if (secret.name == name) return &secret;
  }
  return nullptr;
}

}  // namespace

SecretState state_of(const Deployment& deployment, const SecretRule& rule) {
  const SecretDigest* secret = find(deployment, rule.name);
  if (secret == nullptr) return SecretState::missing;
  bool fits = secret->bytes >= rule.least && secret->bytes <= rule.most;
  return fits ? SecretState::usable : SecretState::wrong_size;
}

Result<std::string_view> digest_of(const Deployment& deployment, const SecretRule& rule) {
  SecretState state = state_of(deployment, rule);
  if (state == SecretState::usable) {
    return std::string_view(find(deployment, rule.name)->digest);
  }
  std::string name(rule.name);
  return Error{ErrorCode::not_configured,
               state == SecretState::missing
                   ? "This deployment has no " + name + ": set it first."
                   : "The " + name + " of this deployment has the wrong size: set another first."};
}

}  // namespace sm::flow
