#include "core/flow/log.h"

#include "core/base/encoding.h"
#include "core/store/store.h"

namespace sm::flow {

std::string make_sync_id(Invocation& in) {
  constexpr size_t kRandomCharacters = 20;
  return "sync_" + to_base62(in.random(kRandomCharacters));
}

Task<Result<std::string>> settle_outcome(Invocation& in, TenantId tenant, std::string sync_id,
                                         Error error) {
  if (error.code != ErrorCode::unknown_outcome) co_return error;
  CO_TRY(store::Rows rows,
         co_await store::query(in, store::log_by_sync_id(tenant, std::move(sync_id))));
  if (!rows.next()) co_return error;
  co_return std::string(rows.maybe_text(0).value_or(""));
}

}  // namespace sm::flow
