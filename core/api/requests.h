// The shapes of request bodies.
#pragma once

#include "core/api/shape.h"

namespace sm::api {

extern const Shape kNewTenantShape;
extern const Shape kNewSourceShape;
extern const Shape kNewTargetShape;
extern const Shape kSidePatchShape;
extern const Shape kImportShape;
extern const Shape kEditShape;

}  // namespace sm::api
