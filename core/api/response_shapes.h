// The shapes of answers: what the writers of rows.h and the handlers write.
#pragma once

#include "core/api/shape.h"

namespace sm::api {

extern const ResponseShape kHealthResponse;
extern const ResponseShape kTenantResponse;
extern const ResponseShape kListedTenantResponse;
extern const ResponseShape kNewTenantResponse;
extern const ResponseShape kKeyResponse;
extern const ResponseShape kNewKeyResponse;
extern const ResponseShape kSourceResponse;
extern const ResponseShape kTargetResponse;
extern const ResponseShape kSourcePropertyResponse;
extern const ResponseShape kTargetPropertyResponse;
extern const ResponseShape kSnapshotResponse;
extern const ResponseShape kLogResponse;
extern const ResponseShape kDeletionResponse;
extern const ResponseShape kImportResponse;
extern const ResponseShape kSyncResponse;
extern const ResponseShape kCleanupResponse;

}  // namespace sm::api
