#include "core/json/nodes.h"

#include "core/json/canonical.h"
#include "core/json/key_order.h"
#include "core/json/simd.h"

namespace sm::json {
namespace {

template <bool kRoomy>
inline char* copy(char* out, const char* text, size_t size) {
  if constexpr (kRoomy) {
    char* end = out + size;
    for (;;) {
      store16(out, load16(text));
      out += 16;
      if (out >= end) return end;
      text += 16;
    }
  } else {
    std::memcpy(out, text, size);
    return out + size;
  }
}

template <bool kRoomy>
char* write(const Node& root, const NodeBuffer& tape, char* out) {
  struct Open {
    const Node* next;
    const Node* end;
    char close;
  };
  Open open[kMaxBodyDepth];
  size_t depth = 0;
  const Node* node = &root;
  for (;;) {
    if (node->key != nullptr) {
      out = copy<kRoomy>(out, node->key, node->key_size);
      *out++ = ':';
    }
    if (node->text != nullptr) {
      out = copy<kRoomy>(out, node->text, node->size);
    } else {
      const Node* header = &tape[node->size];
      *out++ = header->size != 0 ? '{' : '[';
      char close = header->size != 0 ? '}' : ']';
      if (header->key_size > 0) {
        open[depth++] = {header + 1, header + 1 + header->key_size, close};
        node = open[depth - 1].next++;
        continue;
      }
      *out++ = close;
    }
    while (depth > 0 && open[depth - 1].next == open[depth - 1].end) *out++ = open[--depth].close;
    if (depth == 0) return out;
    *out++ = ',';
    node = open[depth - 1].next++;
  }
}

}  // namespace

char* write_nodes(const Node& root, const NodeBuffer& tape, bool roomy, char* out) {
  return roomy ? write<true>(root, tape, out) : write<false>(root, tape, out);
}

bool MemberSorter::sort(const Node* members, size_t count) {
  if (capacity_ < count) {
    capacity_ = std::max<size_t>(count + count / 4, 64);
    entries_.reset();
    entries_.reset(new (std::nothrow) Entry[capacity_]);
    SM_CHECK(entries_ != nullptr);
  }
  Entry* entries = entries_.get();
  auto less = [members](const Entry& a, const Entry& b) {
    if (a.prefix != b.prefix) return a.prefix < b.prefix;
    int order = compare_keys(members[a.index].key_view(), members[b.index].key_view());
    return order != 0 ? order < 0 : a.index < b.index;
  };
  constexpr size_t kInsertion = 64;
  for (size_t i = 0; i < count; ++i) {
    Entry entry{key_prefix(members[i].key_view()), static_cast<uint32_t>(i)};
    size_t place = i;
    if (count <= kInsertion) {
      for (; place > 0 && less(entry, entries[place - 1]); --place)
        entries[place] = entries[place - 1];
    }
    entries[place] = entry;
  }
  if (count > kInsertion) {
    std::make_heap(entries, entries + count, less);
    std::sort_heap(entries, entries + count, less);
  }
  for (size_t i = 1; i < count; ++i) {
    const Entry& a = entries[i - 1];
    const Entry& b = entries[i];
    if (a.prefix == b.prefix && members[a.index].key_view() == members[b.index].key_view()) {
      return true;
    }
  }
  return false;
}

}  // namespace sm::json
