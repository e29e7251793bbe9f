#include "core/http/utf8.h"

#include <cstdint>

namespace sm::http {

bool is_utf8(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    auto lead = static_cast<uint8_t>(text[i]);
    size_t more = lead < 0x80   ? 0
                  : lead < 0xC2 ? 4
                  : lead < 0xE0 ? 1
                  : lead < 0xF0 ? 2
                  : lead < 0xF5 ? 3
                                : 4;
    if (more == 4 || i + more >= text.size()) return false;
    for (size_t k = 1; k <= more; ++k) {
      auto next = static_cast<uint8_t>(text[i + k]);
      uint8_t low = k > 1 ? 0x80 : lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
      uint8_t high = k > 1 ? 0xBF : lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
      if (next < low || next > high) return false;
    }
    i += more + 1;
  }
  return true;
}

}  // namespace sm::http
