#include "core/flow/wake.h"

#include "core/store/store.h"

namespace sm::flow {

Task<Result<Unit>> wake(Invocation& in, [[maybe_unused]] Time scheduled) {
  CO_TRY([[maybe_unused]] store::Rows ready, co_await store::query(in, store::store_ready()));
  co_return Unit{};
}

}  // namespace sm::flow
