#include "core/base/arena.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "core/base/check.h"

namespace sm {

char* Arena::reserve(size_t bytes) {
  if (chunks_.empty() || chunks_[current_].size - used_ < bytes) {
    // Later chunks are free after a release: the first that is large enough moves up, else a new
    // one is taken.
    size_t next = chunks_.empty() ? 0 : current_ + 1;
    auto fits = std::find_if(chunks_.begin() + static_cast<ptrdiff_t>(next), chunks_.end(),
                             [&](const Chunk& chunk) { return chunk.size >= bytes; });
    if (fits == chunks_.end()) {
      size_t size = std::max(chunk_bytes_, bytes);
      Chunk chunk{std::unique_ptr<char[]>(new (std::nothrow) char[size]), size};
      SM_CHECK(chunk.bytes != nullptr);
      capacity_ += size;
      fits = chunks_.insert(chunks_.begin() + static_cast<ptrdiff_t>(next), std::move(chunk));
    }
    std::iter_swap(chunks_.begin() + static_cast<ptrdiff_t>(next), fits);
    current_ = next;
    used_ = 0;
  }
  return chunks_[current_].bytes.get() + used_;
}

void Arena::commit(size_t used) {
  SM_CHECK(!chunks_.empty() && used <= available());
  // The next allocation stays aligned; the last bytes of a chunk may be fewer than the rounding
  // wants.
  size_t rounded = (used + 7) & ~static_cast<size_t>(7);
  used_ += std::min(rounded, available());
}

size_t Arena::available() const { return chunks_.empty() ? 0 : chunks_[current_].size - used_; }

std::string_view Arena::copy(std::string_view text) {
  char* place = allocate(text.size());
  if (!text.empty()) std::memcpy(place, text.data(), text.size());
  return {place, text.size()};
}

void Arena::release(Mark mark) {
  SM_CHECK(mark.chunk < current_ || (mark.chunk == current_ && mark.used <= used_));
  current_ = mark.chunk;
  used_ = mark.used;
}

}  // namespace sm
