#include "core/machine.h"

#include "core/api/serve.h"
#include "core/base/check.h"
#include "core/frame.h"

namespace sm {

// The task comes after the invocation: its frames go back to the invocation's pool when it is
// destroyed.
class Machine::Running {
 public:
  explicit Running(StartFrame start)
      : invocation_(std::move(start.deployment), start.time, std::move(start.random)),
        task_(api::serve(invocation_, std::move(start.request))) {
    task_.start();
    invocation_.run_ready();
  }

  Invocation& invocation() { return invocation_; }
  Task<Effect>& task() { return task_; }

 private:
  Invocation invocation_;
  Task<Effect> task_;
};

Machine::Machine() = default;
Machine::~Machine() = default;

const std::string& Machine::start(const std::string& frame) {
  SM_CHECK(running_ == nullptr);
  StartFrame start = decode_start(frame);
  if (start.kind == StartFrame::Kind::answers) {
    answer_ = encode_answers(
        {{"trap", api::trap_answer().respond}, {"overloaded", api::overloaded_answer().respond}});
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
    std::vector<Effect> last;
    last.push_back(running_->task().take());
    answer_ = encode_step(last, StepIs::done);
  } else {
    answer_ = encode_step(running_->invocation().take_effects(), StepIs::waiting);
  }
  return answer_;
}

}  // namespace sm
