// From a request to its answer: routing, access, media type and size, then the route's handler.
// Every error, from whichever layer, becomes a problem document here.
#pragma once

#include <vector>

#include "core/base/invocation.h"
#include "core/http/request.h"
#include "core/http/response.h"

namespace sm::api {

// What is left for the host to do when all is done: to send the whole answer, or to end a streamed
// one. Where work goes on behind the answer (http::Response::afterwards, and what was put off), it
// is sent before.
Task<std::vector<Effect>> serve(Invocation& in, http::Request request);

// The same for an answer that is there. An error of the work behind it goes to the host's log.
Task<std::vector<Effect>> finish(Invocation& in, http::Response response);

// The answers that a host gives when no core can (wasm/README.md).
http::Response trap_response();              // the invocation has sent no batch
http::Response trap_after_batch_response();  // it has, so that may have been committed
http::Response overloaded_response();

}  // namespace sm::api
