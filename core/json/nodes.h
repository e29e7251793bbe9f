// What the canonicaliser knows of a value before it is written: where its text is, and what it
// contains.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <string_view>

#include "core/base/check.h"

namespace sm::json {

struct Node {
  const char* key;   // canonical, quotes included; null for elements and for the outermost value
  const char* text;  // canonical; null for a container
  uint32_t key_size;
  uint32_t size;  // of the text; for a container the place of its header on the tape

  std::string_view key_view() const { return {key, key_size}; }
};

// On the tape a container is a header, which says how many children follow it and what brackets
// them.
inline Node container_header(size_t count, bool is_object) {
  return {nullptr, nullptr, static_cast<uint32_t>(count), is_object ? 1u : 0u};
}

// A vector of nodes that initialises nothing and keeps its memory.
class NodeBuffer {
 public:
  size_t size() const { return size_; }
  Node& operator[](size_t index) { return nodes_[index]; }
  const Node& operator[](size_t index) const { return nodes_[index]; }
  void shrink(size_t size) { size_ = size; }

  // Room for `count` nodes behind the others, which now count as used.
  Node* extend(size_t count) {
    if (capacity_ - size_ < count) grow(count);
    Node* place = nodes_.get() + size_;
    size_ += count;
    return place;
  }

 private:
  void grow(size_t count) {
    size_t capacity = std::max<size_t>({capacity_ + capacity_ / 2, size_ + count, 256});
    std::unique_ptr<Node[]> nodes(new (std::nothrow) Node[capacity]);
    SM_CHECK(nodes != nullptr);
    if (size_ > 0) std::memcpy(nodes.get(), nodes_.get(), size_ * sizeof(Node));
    nodes_ = std::move(nodes);
    capacity_ = capacity;
  }

  std::unique_ptr<Node[]> nodes_;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

// Sorts members by key. Returns whether two keys are equal; both members stay, in the order of the
// text.
class MemberSorter {
 public:
  // Afterwards `order()[i]` is the index of the member that comes i-th.
  bool sort(const Node* members, size_t count);
  uint32_t order(size_t i) const { return entries_[i].index; }

 private:
  struct Entry {
    uint64_t prefix;
    uint32_t index;
  };

  std::unique_ptr<Entry[]> entries_;
  size_t capacity_ = 0;
};

// Writes the value that `root` stands for, whose containers are on the tape, to `out`; returns its
// end. With `roomy` 16 bytes may be read behind any text and written behind the end, which makes
// copying twice as fast.
char* write_nodes(const Node& root, const NodeBuffer& tape, bool roomy, char* out);

}  // namespace sm::json
