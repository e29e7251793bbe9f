// Whether the store can be worked with.
#pragma once

#include "core/base/invocation.h"

namespace sm::flow {

// Whether it reads and writes. A store whose disk is full still reads, so something is written now
// and then, too.
Task<bool> store_works(Invocation& in);

}  // namespace sm::flow
