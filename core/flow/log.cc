#include "core/flow/log.h"

#include "core/base/encoding.h"
#include "core/store/store.h"

namespace sm::flow {
namespace {

Error not_committed() {
  return {ErrorCode::unavailable,
          "The store failed within the request. Nothing was changed; try again."};
}

}  // namespace

std::string make_sync_id(Invocation& in) {
  constexpr size_t kRandomCharacters = 20;
  return "sync_" + to_base62(in.random(kRandomCharacters));
}

Error when_unseen(Error error) {
  return error.code == ErrorCode::unknown_outcome ? not_committed() : error;
}

Task<Result<std::string>> settle_outcome(Invocation& in, TenantId tenant, std::string sync_id,
                                         Error error) {
  if (error.code != ErrorCode::unknown_outcome) co_return error;
  Result<store::Rows> found =
      co_await store::query(in, store::log_by_sync_id(tenant, std::move(sync_id)));
  // Where the store does not even answer that, the batch may still have been committed.
  if (!found.ok()) co_return error;
  store::Rows rows = std::move(found).value();
  if (!rows.next()) co_return not_committed();
  co_return std::string(rows.maybe_text(0).value_or(""));
}

Task<Result<Unit>> log_failure(Invocation& in, Failure failure, Error error) {
  const ErrorInfo& info = error_info(error.code);
  if (info.status != 409 && info.status < 500) co_return Unit{};
  std::vector<Statement> log;
  std::string message =
      error.code == ErrorCode::conflict ? std::move(error.detail) : std::string(info.title);
  log.push_back(store::failure_logged(failure.tenant, make_sync_id(in), failure.type,
                                      failure.source, failure.target, std::move(message),
                                      failure.started_at, to_text(in.now())));
  CO_TRY([[maybe_unused]] auto written, co_await store::batch(in, std::move(log)));
  co_return Unit{};
}

}  // namespace sm::flow
