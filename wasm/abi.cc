// The exports of wasm/README.md over one Machine. This is the module's only global state.
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/check.h"
#include "core/machine.h"

namespace {

constexpr uint32_t kAbiVersion = 5;

sm::Machine& machine() {
  static sm::Machine* instance = new sm::Machine;
  return *instance;
}

struct Slice {
  const char* pointer;
  uint32_t length;
};

const Slice* give(std::string_view bytes) {
  static Slice slice;
  slice = {bytes.data(), static_cast<uint32_t>(bytes.size())};
  return &slice;
}

// The memory that sm_alloc gave last: a frame is handed on as it is, since one that brings a page
// of a list is a good part of what an instance takes.
std::string& input() {
  static std::string instance;
  return instance;
}

std::string take(const char* pointer, uint32_t length) {
  SM_CHECK(pointer == input().data() && length == input().size());
  return std::move(input());
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

SM_EXPORT const Slice* sm_statements() { return give(sm::Machine::statements()); }

SM_EXPORT char* sm_alloc(uint32_t length) {
  input().resize(length);
  return input().data();
}

SM_EXPORT void sm_free(char*) { input() = std::string(); }

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
