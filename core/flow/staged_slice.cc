#include "core/flow/staged_slice.h"

#include <string>

#include "core/base/limits.h"
#include "core/store/store.h"

namespace sm::flow {

Task<Result<StagedSlice>> next_staged_slice(Invocation& in, TenantId tenant, int64_t import) {
  CO_TRY(store::Rows rows,
         co_await store::query(in, store::staged_slice(tenant, import, kCleanupSliceRows)));
  auto found = store::only<store::StagedSliceRow>(rows);
  StagedSlice slice;
  slice.last = found.count < kCleanupSliceRows;
  slice.drops.push_back(store::import_given_up(tenant, import));
  if (found.last) {
    std::string last(*found.last);
    slice.drops.push_back(store::staged_slice_data_deleted(tenant, import, last));
    slice.drops.push_back(store::staged_slice_dropped(tenant, import, last));
  }
  if (slice.last) slice.drops.push_back(store::import_ended(tenant, import));
  co_return slice;
}

}  // namespace sm::flow
