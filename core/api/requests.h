// The shapes of request bodies.
#pragma once

#include "core/api/shape.h"

namespace sm::api {

extern const RequestShape kNewTenantShape;
extern const RequestShape kNewKeyShape;
extern const RequestShape kNewSourceShape;
extern const RequestShape kNewTargetShape;
extern const RequestShape kSourcePatchShape;
extern const RequestShape kTargetPatchShape;
extern const RequestShape kImportShape;
extern const RequestShape kEditShape;

}  // namespace sm::api
