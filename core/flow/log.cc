#include "core/flow/log.h"

#include "core/base/encoding.h"
#include "core/store/store.h"

namespace sm::flow {
namespace {

std::string make_sync_id(Invocation& in) {
  constexpr size_t kRandomCharacters = 20;
  return "sync_" + to_base62(in.random(kRandomCharacters));
}

}  // namespace

Operation begun(Invocation& in, Operation operation) {
  operation.sync_id = make_sync_id(in);
  operation.started_at = to_text(in.now());
  return operation;
}

Statement log_row(const Operation& operation, LogFigures figures, Time now) {
  bool ended = figures.status != "running";
  return store::log_added(operation.tenant, operation.sync_id, operation.type,
                          std::move(figures.status), operation.source, operation.target,
                          figures.total, figures.updated, figures.failed, std::move(figures.stats),
                          std::move(figures.error_message), operation.started_at,
                          ended ? std::optional<std::string>(to_text(now)) : std::nullopt);
}

Task<Result<Unit>> log_failure(Invocation& in, Operation operation, Error error) {
  const ErrorInfo& info = error_info(error.code);
  bool told = error.code == ErrorCode::conflict || error.code == ErrorCode::quota_exceeded;
  if (!told && info.status != 409 && info.status < 500) co_return Unit{};
  std::string message = told ? std::move(error.detail) : std::string(info.title);
  std::vector<Statement> log;
  log.push_back(
      store::log_interrupted(operation.tenant, operation.sync_id, message, to_text(in.now())));
  log.push_back(store::failure_logged(operation.tenant, operation.sync_id, operation.type,
                                      operation.source, operation.target, std::move(message),
                                      operation.started_at, to_text(in.now())));
  CO_TRY([[maybe_unused]] auto written, co_await store::batch(in, std::move(log)));
  co_return Unit{};
}

}  // namespace sm::flow
