#include "core/machine.h"

#include <utility>
#include <vector>

#include "core/api/serve.h"
#include "core/base/check.h"
#include "core/base/limits.h"
#include "core/flow/wake.h"
#include "core/frame.h"
#include "core/store/store.h"

namespace sm {
namespace {

// The head of a frame must be UTF-8, so no character is cut.
std::string log_message(std::string text) {
  if (text.size() <= kMaxLogBytes) return text;
  size_t end = kMaxLogBytes;
  while (end > 0 && (static_cast<uint8_t>(text[end]) & 0xC0) == 0x80) --end;
  text.resize(end);
  return text;
}

// Each gives the effects of the last step, to which there is no reply.

// Nobody waits for an answer: what went wrong is left to the log.
Task<std::vector<Effect>> wake(Invocation& in, Time scheduled) {
  Result<Unit> done = co_await flow::wake(in, scheduled);
  std::vector<Effect> last;
  if (!done.ok()) {
    std::string what(error_info(done.error().code).type);
    last.push_back(Log{"error", log_message("wake: " + what + ": " + done.error().detail)});
  }
  co_return last;
}

Task<std::vector<Effect>> run(Invocation& in, StartFrame start) {
  if (start.kind == StartFrame::Kind::wake) return wake(in, start.scheduled);
  return api::serve(in, std::move(start.request));
}

}  // namespace

// The task comes after the invocation: its frames go back to the invocation's pool when it is
// destroyed.
class Machine::Running {
 public:
  explicit Running(StartFrame start)
      : invocation_(std::move(start.deployment), start.time, std::move(start.random)),
        task_(run(invocation_, std::move(start))) {
    task_.start();
    invocation_.run_ready();
  }

  Invocation& invocation() { return invocation_; }
  Task<std::vector<Effect>>& task() { return task_; }

 private:
  Invocation invocation_;
  Task<std::vector<Effect>> task_;
};

Machine::Machine() = default;
Machine::~Machine() = default;

std::string_view Machine::statements() { return store::statements_fingerprint(); }

const std::string& Machine::start(const std::string& frame) {
  SM_CHECK(running_ == nullptr);
  StartFrame start = decode_start(frame);
  if (start.kind == StartFrame::Kind::stored_responses) {
    answer_ =
        encode_stored_responses({{"trap", api::trap_response().respond},
                                 {"trap_after_batch", api::trap_after_batch_response().respond},
                                 {"overloaded", api::overloaded_response().respond}});
    return answer_;
  }
  running_ = std::make_unique<Running>(std::move(start));
  return step();
}

const std::string& Machine::resume(std::string frame) {
  SM_CHECK(running_ != nullptr);
  ResumeFrame resumed = decode_resume(std::make_shared<const std::string>(std::move(frame)));
  running_->invocation().resume_with(std::move(resumed.replies), resumed.time);
  return step();
}

void Machine::close() {
  running_.reset();
  answer_ = std::string();
}

const std::string& Machine::step() {
  if (running_->task().done()) {
    answer_ = encode_step(running_->task().take(), StepIs::done);
  } else {
    answer_ = encode_step(running_->invocation().take_effects(), StepIs::waiting);
  }
  return answer_;
}

}  // namespace sm
