#include "core/flow/property.h"

#include "core/store/store.h"

namespace sm::flow {

Task<Result<store::Rows>> find_property(Invocation& in, TenantId tenant, Connector connector,
                                        int64_t parent, PropertyId id) {
  return store::query(in, connector == Connector::source
                              ? store::source_property(tenant, SourceId{parent}, id)
                              : store::target_property(tenant, TargetId{parent}, id));
}

}  // namespace sm::flow
