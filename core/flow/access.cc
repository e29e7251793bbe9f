#include "core/flow/access.h"

#include <algorithm>
#include <cstdio>

#include "core/base/encoding.h"
#include "core/base/limits.h"
#include "core/base/sha256.h"
#include "core/store/store.h"

namespace sm::flow {
namespace {

constexpr std::string_view kPrefix = "sm_";
constexpr size_t kRandomCharacters = 40;
constexpr size_t kChecksumCharacters = 8;

Error unauthorized() {
  return {ErrorCode::unauthorized, "Send a valid key of your tenant in the header X-API-Key."};
}

std::string checksum(std::string_view random) {
  char text[kChecksumCharacters + 1];
  std::snprintf(text, sizeof text, "%08x", static_cast<unsigned>(crc32(random)));
  return text;
}

bool could_be_key(std::string_view key) {
  if (key.substr(0, kPrefix.size()) == kPrefix) {
    if (key.size() != kPrefix.size() + kRandomCharacters + kChecksumCharacters) return false;
    std::string_view random = key.substr(kPrefix.size(), kRandomCharacters);
    return key.substr(kPrefix.size() + kRandomCharacters) == checksum(random);
  }
  return key.size() >= kMinKeyCharacters && key.size() <= kMaxKeyCharacters &&
         std::all_of(key.begin(), key.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

}  // namespace

Task<Result<TenantId>> tenant_of_key(Invocation& in, std::optional<std::string_view> key) {
  if (!key || !could_be_key(*key)) co_return unauthorized();
  CO_TRY(std::string key_hash, hash_key(in.deployment(), *key));
  CO_TRY(store::Rows rows, co_await store::query(in, store::key_owner(std::move(key_hash))));
  store::KeyOwnerRow row;
  if (!rows.next(row)) co_return unauthorized();
  co_return row.tenant_id;
}

Status check_signup(const Deployment& deployment, std::optional<std::string_view> authorization) {
  if (deployment.var("TENANT_SIGNUP") == "open") return Unit{};
  constexpr std::string_view kScheme = "Bearer ";
  std::string_view token = deployment.var("ADMIN_TOKEN");
  std::string_view given = authorization.value_or("");
  bool allowed =
      !token.empty() && given.substr(0, kScheme.size()) == kScheme &&
      equal_in_constant_time(to_hex(sha256(given.substr(kScheme.size()))), to_hex(sha256(token)));
  if (allowed) return Unit{};
  return Error{ErrorCode::unauthorized,
               "Sign-up is closed here: send the administrator's token as Authorization: Bearer."};
}

std::string make_key(Invocation& in) {
  std::string random = to_base62(in.random(kRandomCharacters));
  return std::string(kPrefix) + random + checksum(random);
}

Result<std::string> hash_key(const Deployment& deployment, std::string_view key) {
  std::string_view pepper = deployment.var("API_KEY_PEPPER");
  if (pepper.empty()) {
    return Error{ErrorCode::not_configured, "This deployment has no API_KEY_PEPPER: set it first."};
  }
  return to_hex(hmac_sha256(pepper, key));
}

}  // namespace sm::flow
