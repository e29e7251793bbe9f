// Frames between host and core, as wasm/README.md describes them: a small JSON head, and binary
// sections.
//
// A frame that a host of ours cannot have made traps: it is a bug, not input. What a client sent
// stands in the frame as data and is checked elsewhere.
#pragma once

#include <string>
#include <vector>

#include "core/base/effect.h"
#include "core/base/invocation.h"
#include "core/base/time.h"
#include "core/http/request.h"

namespace sm {

struct StartFrame {
  enum class Kind { request, wake, stored_responses };
  Kind kind = Kind::request;
  // request, wake
  Deployment deployment;
  Time time;
  std::string random;
  http::Request request;  // request
  Time scheduled;         // wake: the minute that it was meant for
};

StartFrame decode_start(std::string_view frame);

struct ResumeFrame {
  Time time;
  std::vector<Reply> replies;
};

// The replies look into the frame, which they keep alive.
ResumeFrame decode_resume(const FrameBytes& frame);

enum class StepIs { waiting, done };
std::string encode_step(const std::vector<Effect>& effects, StepIs step);

// The finished responses that a host keeps for when no core can answer.
struct StoredResponse {
  std::string name;
  Respond respond;
};
std::string encode_stored_responses(const std::vector<StoredResponse>& responses);

}  // namespace sm
