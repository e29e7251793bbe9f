// A bump allocator for bytes that live as long as an invocation, or as long as one part of an
// import.
//
// Memory is taken in chunks and never given back to the system before the arena dies: WebAssembly
// memory cannot shrink, so `release` keeps the chunks for reuse. What is allocated is not
// initialised, has no destructor, and stays at its address until it is released. Exhaustion traps
// (check.h): the host discards the instance.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

namespace sm {

class Arena {
 public:
  // A place to return to: everything allocated after `mark()` is given up by `release(mark)`.
  struct Mark {
    size_t chunk = 0;
    size_t used = 0;
  };

  explicit Arena(size_t chunk_bytes = 256 * 1024) : chunk_bytes_(chunk_bytes) {}
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // `bytes` bytes, aligned to 8.
  char* allocate(size_t bytes) {
    char* place = reserve(bytes);
    commit(bytes);
    return place;
  }

  // At least `bytes` contiguous bytes that are not yet taken: the caller writes, then commits what
  // it used. Until then a further `reserve` returns the same place, or a larger one elsewhere
  // (nothing is copied over).
  char* reserve(size_t bytes);
  void commit(size_t used);

  // Bytes that the last `reserve` made available.
  size_t available() const;

  std::string_view copy(std::string_view text);

  Mark mark() const { return {current_, used_}; }
  void release(Mark mark);
  void release_all() { release({}); }

  // Bytes held from the system, used or not.
  size_t capacity() const { return capacity_; }

 private:
  struct Chunk {
    std::unique_ptr<char[]> bytes;
    size_t size;
  };

  size_t chunk_bytes_;
  std::vector<Chunk> chunks_;
  size_t current_ = 0;  // chunk in use
  size_t used_ = 0;     // of the chunk in use
  size_t capacity_ = 0;
};

}  // namespace sm
