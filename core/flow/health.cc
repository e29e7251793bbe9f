#include "core/flow/health.h"

#include "core/base/limits.h"
#include "core/store/store.h"

namespace sm::flow {

Task<bool> store_works(Invocation& in) {
  Result<store::Rows> ready = co_await store::query(in, store::store_ready());
  store::StoreReadyRow store;
  if (!ready.ok() || !ready.value().next(store)) co_return false;
  int64_t age_ms = in.now().ms - store.probed_at;
  if (age_ms >= 0 && age_ms < kProbeMs) co_return true;
  std::vector<Statement> probe;
  probe.push_back(store::store_probed(in.now().ms));
  Result<std::vector<store::Rows>> written = co_await store::batch(in, std::move(probe));
  co_return written.ok();
}

}  // namespace sm::flow
