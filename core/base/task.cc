#include "core/base/task.h"

#include <cstdlib>

namespace sm {

void* CoroutineFrames::allocate(size_t bytes) {
  static_assert(sizeof(Header) <= 2 * kClassBytes);
  constexpr size_t kHeaderBytes = (sizeof(Header) + 15) / 16 * 16;
  size_t size_class = (bytes + kHeaderBytes) / kClassBytes;
  Header* header = nullptr;
  if (size_class < kClasses && free_[size_class] != nullptr) {
    header = free_[size_class];
    free_[size_class] = header->next;
  } else {
    header = static_cast<Header*>(std::malloc((size_class + 1) * kClassBytes));
    SM_CHECK(header != nullptr);
  }
  *header = {this, nullptr, size_class};
  return reinterpret_cast<char*>(header) + kHeaderBytes;
}

void CoroutineFrames::release(void* frame) {
  constexpr size_t kHeaderBytes = (sizeof(Header) + 15) / 16 * 16;
  auto* header = reinterpret_cast<Header*>(static_cast<char*>(frame) - kHeaderBytes);
  if (header->size_class >= kClasses) {
    std::free(header);
    return;
  }
  header->next = header->pool->free_[header->size_class];
  header->pool->free_[header->size_class] = header;
}

CoroutineFrames::~CoroutineFrames() {
  for (Header* header : free_) {
    while (header != nullptr) std::free(std::exchange(header, header->next));
  }
}

}  // namespace sm
