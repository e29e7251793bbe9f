#include "core/flow/access.h"

#include <algorithm>
#include <cstdio>

#include "core/base/encoding.h"
#include "core/base/limits.h"
#include "core/base/sha256.h"
#include "core/base/time.h"
#include "core/flow/deployment.h"
#include "core/flow/rates.h"
#include "core/flow/tenants.h"
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

Error suspended() {
  return {ErrorCode::forbidden,
          "This tenant is suspended: its keys open nothing until the administrator resumes it."};
}

Error may_only_read() {
  return {ErrorCode::forbidden, "This key may only read: use one with the scope full to write."};
}

// By the column of the guard on the key.
std::optional<Error> refusal_of(std::string_view column) {
  if (column == "key_refused") return unauthorized();
  if (column == "tenant_suspended") return suspended();
  if (column == "key_reads") return may_only_read();
  return std::nullopt;
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

Task<Result<TenantId>> tenant_of_key(Invocation& in, std::optional<std::string_view> key, Use use,
                                     std::string_view address) {
  KeyForm form = key ? form_of(*key) : KeyForm();
  if (!form.possible) {
    CO_TRY([[maybe_unused]] Unit counted, co_await count_request(in, counted_address(address)));
    co_return unauthorized();
  }
  CO_TRY(std::string hash, hash_key(in.deployment(), *key));
  CO_TRY([[maybe_unused]] Unit counted, co_await count_request(in, hash));
  std::string now = to_text(in.now());
  int64_t hour = in.now().ms / kHourMs;
  if (form.tenant) {
    TenantId tenant = *form.tenant;
    in.require({store::guard_key(tenant, hash, now, use == Use::write ? 1 : 0), refusal_of,
                store::key_idle(tenant, hash, hour), store::key_used(tenant, hash, hour)});
    co_return tenant;
  }
  CO_TRY(store::Rows rows, co_await store::query(in, store::key_owner(hash, std::move(now))));
  store::KeyOwnerRow row;
  if (!rows.next(row)) co_return unauthorized();
  if (row.suspended_at) co_return suspended();
  if (use == Use::write && row.scope != kFullScope) co_return may_only_read();
  if (row.last_used_hour < hour) in.put_off(store::key_used(row.tenant_id, hash, hour));
  co_return row.tenant_id;
}

Task<Result<Unit>> admit(Invocation& in) { return store::settle_conditions(in); }

Task<Unit> write_put_off(Invocation& in, std::vector<Statement> writes) {
  [[maybe_unused]] auto written = co_await store::batch(in, std::move(writes));
  co_return Unit{};
}

Status check_administrator(const Deployment& deployment,
                           std::optional<std::string_view> authorization) {
  constexpr std::string_view kScheme = "Bearer ";
  std::string_view given = authorization.value_or("");
  bool bears = given.substr(0, kScheme.size()) == kScheme;
  if (state_of(deployment, kAdminToken) != SecretState::missing) {
    TRY(std::string_view expected, digest_of(deployment, kAdminToken));
    Sha256Digest digest = sha256(given.substr(bears ? kScheme.size() : 0));
    std::string_view told(reinterpret_cast<const char*>(digest.data()), digest.size());
    if (equal_in_constant_time(told, expected) && bears) return Unit{};
  }
  return Error{ErrorCode::not_administrator,
               "This is the administrator's: send the token as Authorization: Bearer."};
}

Status check_signup(const Deployment& deployment, std::optional<std::string_view> authorization) {
  if (deployment.var("TENANT_SIGNUP") == "open") return Unit{};
  return check_administrator(deployment, authorization);
}

std::string make_key(Invocation& in, TenantId tenant) {
  std::string body = std::to_string(tenant.value) + "_" + to_base62(in.random(kRandomCharacters));
  return std::string(kPrefix) + body + checksum(body);
}

Result<std::string> hash_key(const Deployment& deployment, std::string_view key) {
  TRY(std::string_view pepper, digest_of(deployment, kPepper));
  return to_hex(hmac_sha256_behind(pepper, key));
}

}  // namespace sm::flow
