#include "core/flow/run.h"

#include "core/base/limits.h"
#include "core/store/store.h"

namespace sm::flow {
namespace {

Task<Result<Unit>> send(Invocation& in, std::vector<Statement> batch) {
  CO_TRY([[maybe_unused]] auto written, co_await store::batch(in, std::move(batch)));
  co_return Unit{};
}

}  // namespace

const RunKind* find_run_kind(std::string_view name) {
  for (const RunKind& kind : run_kinds()) {
    if (kind.name == name) return &kind;
  }
  return nullptr;
}

std::vector<Statement> run_batch(const HeldRun& run) {
  std::vector<Statement> batch;
  batch.push_back(store::guard_run(run.tenant, run.id, run.fence));
  return batch;
}

Task<Result<Unit>> move_run(Invocation& in, const HeldRun& run, std::vector<Statement> batch,
                            std::string checkpoint) {
  batch.push_back(
      store::run_moved(run.tenant, run.id, std::move(checkpoint), to_text(in.now() + kRunLeaseMs)));
  return send(in, std::move(batch));
}

Task<Result<Unit>> end_run(Invocation& in, const HeldRun& run, std::vector<Statement> batch) {
  if (run.log) {
    batch.push_back(
        store::log_ended(run.tenant, run.log, "success", std::nullopt, to_text(in.now())));
  }
  batch.push_back(store::run_ended(run.tenant, run.id, "done"));
  return send(in, std::move(batch));
}

Task<Result<Unit>> release_run(Invocation& in, const HeldRun& run) {
  std::vector<Statement> batch = run_batch(run);
  batch.push_back(store::run_released(run.tenant, run.id, to_text(in.now())));
  return send(in, std::move(batch));
}

}  // namespace sm::flow
