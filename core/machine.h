// The core as a machine without I/O: start it with a request or a wake, perform the effects that it
// asks for, resume it with the replies, until a step is done. The only header that wasm/ includes;
// frames are those of wasm/README.md.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace sm {

class Machine {
 public:
  Machine();
  ~Machine();
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  // The fingerprint of the statements that steps name by number: the host's texts must carry it.
  static std::string_view statements();

  // Each returns a step frame, valid until the next call. Starting twice, or resuming what does not
  // wait, traps.
  const std::string& start(const std::string& frame);
  const std::string& resume(std::string frame);

  // Ends the invocation, wherever it is; the machine can be started again.
  void close();

 private:
  class Running;
  const std::string& step();

  std::unique_ptr<Running> running_;
  std::string answer_;
};

}  // namespace sm
