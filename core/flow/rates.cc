#include "core/flow/rates.h"

#include "core/base/encoding.h"
#include "core/flow/access.h"
#include "core/http/ip_address.h"
#include "core/store/store.h"

namespace sm::flow {
namespace {

constexpr int64_t kHourS = kHourMs / 1000;

Error too_many_requests(int64_t per_second) {
  Spent spent{std::string(kRequests.name), per_second * kRateWindowS, per_second * kRateWindowS,
              kRateWindowS, kRateWindowS};
  return {ErrorCode::rate_limited,
          "At most " + std::to_string(per_second) +
              " requests a second are answered here, on "
              "average over " +
              std::to_string(kRateWindowS) + " seconds. Nothing was done: send it again later.",
          {},
          std::move(spent)};
}

Task<Reply> ask_to_count(Invocation& in, std::string of) {
  std::vector<Effect> effects;
  effects.push_back(Count{std::move(of)});
  std::vector<Reply> replies = co_await in.perform(std::move(effects));
  co_return std::move(replies[0]);
}

}  // namespace

Task<Result<Unit>> count_request(Invocation& in, std::string of) {
  auto per_second = limit_of(in.deployment(), kRequests);
  if (!per_second) co_return Unit{};
  Reply reply = co_await ask_to_count(in, std::move(of));
  // A deployment without a counter answers all; its health tells.
  bool spent = reply.error && reply.error->code == ErrorCode::rate_limited;
  if (spent) co_return too_many_requests(*per_second);
  co_return Unit{};
}

Task<bool> counts_requests(Invocation& in) {
  if (!limit_of(in.deployment(), kRequests)) co_return true;
  Reply reply = co_await ask_to_count(in, "health");
  co_return !reply.error || reply.error->code == ErrorCode::rate_limited;
}

std::string network_of(std::string_view address) {
  constexpr size_t kNetworkBytes = 8;
  constexpr std::string_view kMappedIpv4("\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);
  auto bytes = http::parse_ipv6(address);
  if (!bytes) return std::string(address);
  std::string_view all(reinterpret_cast<const char*>(bytes->data()), bytes->size());
  return to_base64url(all.starts_with(kMappedIpv4) ? all : all.substr(0, kNetworkBytes));
}

std::string counted_address(std::string_view address) { return "address " + network_of(address); }

void take_turns(Invocation& in, TenantId tenant) {
  auto at_once = limit_of(in.deployment(), kWrites);
  if (at_once) in.take_turns(std::to_string(tenant.value), *at_once);
}

Signup::Signup(const Invocation& in, std::optional<std::string_view> address) : now_(in.now()) {
  if (!address) return;
  most_ = limit_of(in.deployment(), kSignups);
  // Where somebody signs up from is nobody's business later: the store has a keyed hash of it.
  auto hash = hash_key(in.deployment(), counted_address(*address));
  if (most_ && hash.ok()) by_ = std::move(hash).value();
}

void Signup::append_guard(std::vector<Statement>& batch) const {
  if (most_) batch.push_back(store::guard_signups(by_, now_.ms / kHourMs, *most_ - 1));
}

void Signup::append_count(std::vector<Statement>& batch) const {
  if (!most_) return;
  int64_t hour = now_.ms / kHourMs;
  batch.push_back(store::signups_forgotten(hour));
  batch.push_back(store::signup_counted(by_, hour));
  batch.push_back(store::guard_signups(by_, hour, *most_));
}

Error Signup::explained(Error error) const {
  if (!store::lost_guard(error, "signups_over")) return error;
  int64_t wait = kHourS - now_.ms / 1000 % kHourS;
  return {ErrorCode::rate_limited,
          "At most " + std::to_string(*most_) +
              " tenants an hour are made from one address, and these were made. Nothing was done: "
              "send it again later.",
          {},
          Spent{std::string(kSignups.name), *most_, *most_, kHourS, wait}};
}

}  // namespace sm::flow
