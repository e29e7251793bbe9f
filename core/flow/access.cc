#include "core/flow/access.h"

#include <algorithm>
#include <cstdio>

#include "core/base/encoding.h"
#include "core/base/limits.h"
#include "core/base/sha256.h"
#include "core/http/request.h"
#include "core/store/store.h"

namespace sm::flow {
namespace {

constexpr std::string_view kPrefix = "sm_";
constexpr size_t kRandomCharacters = 40;
constexpr size_t kMaxTenantDigits = 15;
constexpr size_t kChecksumCharacters = 8;

Error unauthorized() {
  return {ErrorCode::unauthorized, "Send a valid key of your tenant in the header X-API-Key."};
}

std::string checksum(std::string_view random) {
  char text[kChecksumCharacters + 1];
  std::snprintf(text, sizeof text, "%08x", static_cast<unsigned>(crc32(random)));
  return text;
}

// What can be told of a key by looking at it.
struct KeyForm {
  bool possible = false;
  std::optional<TenantId> tenant = {};  // that it names
};

KeyForm form_of(std::string_view key) {
  if (key.substr(0, kPrefix.size()) != kPrefix) {
    return {key.size() >= kMinKeyCharacters && key.size() <= kMaxKeyCharacters &&
            std::all_of(key.begin(), key.end(), [](char c) { return c > ' ' && c < 0x7f; })};
  }
  constexpr size_t kTail = kRandomCharacters + kChecksumCharacters;
  std::string_view body = key.substr(kPrefix.size());
  if (body.size() < kTail) return {};
  std::string_view summed = body.substr(0, body.size() - kChecksumCharacters);
  if (body.substr(summed.size()) != checksum(summed)) return {};
  if (body.size() == kTail) return {true};
  std::string_view name = summed.substr(0, summed.size() - kRandomCharacters);
  if (name.back() != '_' || name.size() > kMaxTenantDigits + 1) return {};
  auto tenant = http::parse_id(name.substr(0, name.size() - 1));
  if (!tenant) return {};
  return {true, TenantId{*tenant}};
}

}  // namespace

Task<Result<TenantId>> tenant_of_key(Invocation& in, std::optional<std::string_view> key) {
  KeyForm form = key ? form_of(*key) : KeyForm();
  if (!form.possible) co_return unauthorized();
  CO_TRY(std::string key_hash, hash_key(in.deployment(), *key));
  if (form.tenant) {
    in.require(
        {store::guard_key(*form.tenant, std::move(key_hash)), "key_refused", unauthorized()});
    co_return *form.tenant;
  }
  CO_TRY(store::Rows rows, co_await store::query(in, store::key_owner(std::move(key_hash))));
  store::KeyOwnerRow row;
  if (!rows.next(row)) co_return unauthorized();
  co_return row.tenant_id;
}

Task<Result<Unit>> admit(Invocation& in) { return store::settle_conditions(in); }

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

std::string make_key(Invocation& in, TenantId tenant) {
  std::string body = std::to_string(tenant.value) + "_" + to_base62(in.random(kRandomCharacters));
  return std::string(kPrefix) + body + checksum(body);
}

Result<std::string> hash_key(const Deployment& deployment, std::string_view key) {
  std::string_view pepper = deployment.var("API_KEY_PEPPER");
  if (pepper.empty()) {
    return Error{ErrorCode::not_configured, "This deployment has no API_KEY_PEPPER: set it first."};
  }
  return to_hex(hmac_sha256(pepper, key));
}

}  // namespace sm::flow
