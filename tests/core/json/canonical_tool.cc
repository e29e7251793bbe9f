// The canonicaliser for programs in other languages: reads frames (u32 little-endian length, then
// as many bytes) from standard input until its end, canonicalises each as one JSON text, and
// answers each with a frame that holds a line of JSON:
//   {"ok":true,"canonical":"<the text, as a JSON string>","hash":"<hex SHA-256>"}
//   {"ok":false,"syntax":<offset>}
//   {"ok":false,"refused":"duplicate_key"}
#include <cstdint>
#include <cstdio>
#include <string>

#include "core/base/arena.h"
#include "core/base/sha256.h"
#include "core/json/canonical.h"
#include "core/json/cursor.h"

namespace {

bool read_frame(std::string& frame) {
  uint8_t head[4];
  if (std::fread(head, 1, 4, stdin) != 4) return false;
  size_t size = static_cast<size_t>(head[0]) | static_cast<size_t>(head[1]) << 8 |
                static_cast<size_t>(head[2]) << 16 | static_cast<size_t>(head[3]) << 24;
  frame.resize(size);
  return std::fread(frame.data(), 1, size, stdin) == size;
}

void write_frame(const std::string& frame) {
  uint8_t head[4];
  for (int i = 0; i < 4; ++i) head[i] = static_cast<uint8_t>(frame.size() >> (8 * i));
  std::fwrite(head, 1, 4, stdout);
  std::fwrite(frame.data(), 1, frame.size(), stdout);
}

std::string answer(std::string_view text, sm::Arena& arena) {
  using namespace sm::json;
  Canonical result = canonicalize(text, arena);
  if (result.outcome == Outcome::syntax) {
    return "{\"ok\":false,\"syntax\":" + std::to_string(result.offset) + "}";
  }
  if (result.refusal != Refusal::none) {
    return "{\"ok\":false,\"refused\":\"" + std::string(refusal_name(result.refusal)) + "\"}";
  }
  return "{\"ok\":true,\"canonical\":" + quote(result.text) + ",\"hash\":\"" +
         sm::to_hex(sm::sha256(result.text)) + "\"}";
}

}  // namespace

int main() {
  sm::Arena arena;
  for (std::string frame; read_frame(frame); arena.release_all()) write_frame(answer(frame, arena));
  return std::fflush(stdout);
}
