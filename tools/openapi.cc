// Prints the API document, indented, so that a change of the API is seen as a change of a file:
// `make openapi` writes schema/openapi.json with it.
#include <cstdio>

#include "core/openapi/document.h"

int main() {
  constexpr int kIndent = 2;
  return std::puts(sm::openapi::document().dump(kIndent).c_str()) < 0 ? 1 : 0;
}
