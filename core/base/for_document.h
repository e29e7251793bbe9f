// What the API document alone tells: words, examples, and what an answer looks like. It stands
// where it belongs, in the row of the route, parameter or field that it is about. Native programs
// keep it, since one of them writes the document (core/openapi/). The module, which serves the
// document as it was written, forgets it when it is compiled, and so holds neither the words nor
// their tables.
#pragma once

#include <concepts>

namespace sm {

template <typename T>
class ForDocument {
 public:
  constexpr ForDocument() = default;

#ifndef __wasm__
  template <std::convertible_to<T> From>
  constexpr ForDocument(const From& value) : value_(value) {}

  constexpr const T& operator*() const { return value_; }
  constexpr const T* operator->() const { return &value_; }

 private:
  T value_ = {};
#else
  template <std::convertible_to<T> From>
  constexpr ForDocument(const From&) {}
#endif
};

}  // namespace sm
