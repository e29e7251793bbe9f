// A WebAssembly module for benchmarks: an import body through ItemReader, in chunks as a host hands
// them over, and SHA-256 of every item. Nothing is imported; the module is started by
// `_initialize`.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "core/base/arena.h"
#include "core/base/sha256.h"
#include "core/json/item_reader.h"

namespace {

constexpr size_t kChunkBytes = 256 * 1024;

using sm::json::Event;
using sm::json::ItemReader;

// Hashes items in the order in which they come; they wait in the arena until a part is full.
class Hasher {
 public:
  void push(std::string_view item) {
    sm::Sha256Digest& digest = digests_[count_++];
    lanes_.push(item, &digest);
  }
  bool is_full() const { return count_ == kPart; }
  void flush() {
    lanes_.flush();
    for (size_t i = 0; i < count_; ++i) sum_ += digests_[i][0];
    count_ = 0;
  }
  uint32_t sum() const { return sum_; }

 private:
  static constexpr size_t kPart = 1024;
  sm::Sha256Lanes lanes_;
  sm::Sha256Digest digests_[kPart];
  size_t count_ = 0;
  uint32_t sum_ = 0;
};

template <typename F>
int32_t read_items(std::string_view body, sm::Arena& arena, F on_item) {
  ItemReader reader;
  int32_t items = 0;
  for (size_t at = 0;;) {
    Event event = reader.next(arena);
    switch (event.kind) {
      case Event::Kind::item:
        ++items;
        on_item(event.text);
        break;
      case Event::Kind::need_more:
        if (at == body.size()) {
          reader.finish();
        } else {
          reader.feed(body.substr(at, kChunkBytes));
          at = std::min(at + kChunkBytes, body.size());
        }
        break;
      case Event::Kind::end:
        return items;
      case Event::Kind::syntax:
        return -1 - static_cast<int32_t>(event.offset);
    }
  }
}

}  // namespace

#define SM_EXPORT(name) extern "C" __attribute__((export_name(#name), used, visibility("default")))

SM_EXPORT(sm_bench_alloc) void* sm_bench_alloc(uint32_t bytes) { return std::malloc(bytes); }
SM_EXPORT(sm_bench_free) void sm_bench_free(void* place) { std::free(place); }

// The number of items, or -1 - offset of a syntax error.
SM_EXPORT(sm_bench_run) int32_t sm_bench_run(const char* body, uint32_t bytes) {
  sm::Arena arena;
  Hasher hasher;
  int32_t items = read_items({body, bytes}, arena, [&](std::string_view item) {
    hasher.push(item);
    if (!hasher.is_full()) return;
    hasher.flush();
    arena.release_all();
  });
  hasher.flush();
  return items;
}

// The same without hashing.
SM_EXPORT(sm_bench_parse) int32_t sm_bench_parse(const char* body, uint32_t bytes) {
  sm::Arena arena;
  size_t held = 0;
  return read_items({body, bytes}, arena, [&](std::string_view item) {
    held += item.size();
    if (held < 1024 * 1024) return;
    held = 0;
    arena.release_all();
  });
}
