// The exports of wasm/README.md over one Machine. This is the module's only global state.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/check.h"
#include "core/machine.h"

namespace {

constexpr uint32_t kAbiVersion = 2;

sm::Machine& machine() {
  static sm::Machine* instance = new sm::Machine;
  return *instance;
}

struct Slice {
  const char* pointer;
  uint32_t length;
};

const Slice* give(const std::string& frame) {
  static Slice slice;
  slice = {frame.data(), static_cast<uint32_t>(frame.size())};
  return &slice;
}

// Takes the bytes of the host's frame over, and frees the memory that sm_alloc gave for them.
std::string take(char* pointer, uint32_t length) {
  std::string frame(pointer, length);
  std::free(pointer);
  return frame;
}

#ifdef SM_FAULTS
// Faults that a request asks for by a header, so that tests see a real trap in a real Worker: at
// once, or on the first reply to a batch.
class Faults {
 public:
  void on_start(std::string_view frame) {
    if (has(frame, "\"trap\"")) SM_CHECK(false);
    armed_ = has(frame, "\"trap-after-batch\"");
    batch_asked_ = false;
  }
  void on_resume() const { SM_CHECK(!(armed_ && batch_asked_)); }
  void on_step(std::string_view step) {
    batch_asked_ = step.find("\"effect\":\"batch\"") != std::string_view::npos;
  }

 private:
  static bool has(std::string_view frame, std::string_view fault) {
    return frame.find("[\"x-sm-fault\"," + std::string(fault)) != std::string_view::npos;
  }
  bool armed_ = false;
  bool batch_asked_ = false;
};
#else
class Faults {
 public:
  void on_start(std::string_view) const {}
  void on_resume() const {}
  void on_step(std::string_view) const {}
};
#endif

Faults& faults() {
  static Faults instance;
  return instance;
}

const Slice* step(const std::string& frame) {
  faults().on_step(frame);
  return give(frame);
}

}  // namespace

#define SM_EXPORT extern "C" __attribute__((visibility("default"), used))

SM_EXPORT uint32_t sm_abi() { return kAbiVersion; }

SM_EXPORT char* sm_alloc(uint32_t length) {
  auto* memory = static_cast<char*>(std::malloc(length));
  SM_CHECK(memory != nullptr);
  return memory;
}

SM_EXPORT void sm_free(char* pointer) { std::free(pointer); }

SM_EXPORT const Slice* sm_start(char* pointer, uint32_t length) {
  std::string frame = take(pointer, length);
  faults().on_start(frame);
  return step(machine().start(frame));
}

SM_EXPORT const Slice* sm_resume(char* pointer, uint32_t length) {
  faults().on_resume();
  return step(machine().resume(take(pointer, length)));
}

SM_EXPORT void sm_close() { machine().close(); }
