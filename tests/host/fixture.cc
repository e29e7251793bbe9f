// A core that follows wasm/README.md and does what a script says, so that tests can inject what the
// real one never does: a trap at any step, growth, an endless body. The script of a request is the
// value of its header `x-script`; the script of a wake is the variable `wake_<scheduled_time>`, and
// empty where there is none. It is in hexadecimal, as tests/host/script.ts makes it: operations of
// one letter, a u32, and for `S` that many bytes.
//
//   S n frame   yields the frame
//   H n         yields a `batch` of statement n, its one parameter the head of the start frame
//   W n         yields a `write` of n bytes again and again, until one is refused
//   B n         yields `read_body` until the end or a refusal, counting bytes, parts and small
//   parts G n         grows memory by n pages T n         traps E n         done: answers with the
//   last resume frame as the body C n         done: answers with the counts of `B`
#include <stdint.h>

#define EXPORT(name) __attribute__((export_name(#name), used))

extern "C" unsigned char __heap_base;

namespace {

constexpr uint32_t kPage = 65536;
constexpr uint32_t kScriptLimit = 65536;
constexpr uint32_t kHeadLimit = 65536;

unsigned char script[kScriptLimit];
uint32_t script_length, script_at;
unsigned char start_head[kHeadLimit];
uint32_t start_head_length;
uint32_t input, input_length;
uint32_t answer[2];
char counts[256];
uint32_t body_bytes, body_parts, small_parts;
bool open;
bool repeating;  // whether the last step came from the operation that is under way

unsigned char* at(uint32_t address) { return reinterpret_cast<unsigned char*>(address); }
uint32_t read32(const unsigned char* p) {
  return p[0] | p[1] << 8 | p[2] << 16 | uint32_t(p[3]) << 24;
}
void write32(unsigned char* p, uint32_t v) {
  for (int i = 0; i < 4; i++) p[i] = static_cast<unsigned char>(v >> 8 * i);
}
void copy(unsigned char* to, const unsigned char* from, uint32_t n) {
  __builtin_memcpy(to, from, n);
}

void ensure(uint32_t end) {
  uint32_t have = __builtin_wasm_memory_size(0) * kPage;
  if (end > have && __builtin_wasm_memory_grow(0, (end - have + kPage - 1) / kPage) == ~0u)
    __builtin_trap();
}

uint32_t length_of(const char* text) {
  uint32_t n = 0;
  while (text[n] != 0) n++;
  return n;
}

bool same(const unsigned char* bytes, const char* text, uint32_t n) {
  for (uint32_t i = 0; i < n; i++) {
    if (bytes[i] != static_cast<unsigned char>(text[i])) return false;
  }
  return true;
}

// The place behind the text, or the end where it is not found.
uint32_t find_behind(const unsigned char* bytes, uint32_t length, const char* text) {
  uint32_t n = length_of(text);
  for (uint32_t i = 0; i + n <= length; i++) {
    if (same(bytes + i, text, n)) return i + n;
  }
  return length;
}

bool has(const unsigned char* bytes, uint32_t length, const char* text) {
  return find_behind(bytes, length, text) < length;
}

// The output frame is built behind the input buffer.
uint32_t output() { return (input + input_length + 15) & ~15u; }

uint32_t yield(uint32_t address, uint32_t length) {
  answer[0] = address;
  answer[1] = length;
  return reinterpret_cast<uint32_t>(answer);
}

uint32_t yield_section(const char* head, const unsigned char* bytes, uint32_t length) {
  uint32_t n = length_of(head);
  uint32_t frame = output();
  ensure(frame + 8 + n + length);
  write32(at(frame), n);
  copy(at(frame) + 4, reinterpret_cast<const unsigned char*>(head), n);
  write32(at(frame) + 4 + n, length);
  if (bytes != nullptr) copy(at(frame) + 8 + n, bytes, length);
  return yield(frame, 8 + n + length);
}

uint32_t yield_plain(const char* head) {
  uint32_t n = length_of(head);
  write32(at(output()), n);
  copy(at(output()) + 4, reinterpret_cast<const unsigned char*>(head), n);
  return yield(output(), 4 + n);
}

char* put(char* p, const char* text) {
  while (*text != 0) *p++ = *text++;
  return p;
}

char* put(char* p, uint32_t number) {
  char digits[10];
  int n = 0;
  do digits[n++] = static_cast<char>('0' + number % 10);
  while ((number /= 10) != 0);
  while (n > 0) *p++ = digits[--n];
  return p;
}

// A batch of one statement with one parameter: the head of the start frame.
uint32_t yield_head(uint32_t statement) {
  char batch[128];
  char* p = put(batch, R"({"done":false,"effects":[{"effect":"batch","statements":[{"statement":)");
  p = put(p, statement);
  *put(p, R"(,"params":[{"section":0}]}],"turn":"","at_once":0,"unseen":false}]})") = 0;
  return yield_section(batch, start_head, start_head_length);
}

constexpr const char* kAnswer =
    R"({"done":true,"effects":[{"effect":"respond","status":200,"headers":[["x-fixture","1"]],"section":0}]})";

uint32_t answer_counts() {
  char* p = put(counts, "bytes ");
  p = put(p, body_bytes);
  p = put(p, " parts ");
  p = put(p, body_parts);
  p = put(p, " small ");
  p = put(p, small_parts);
  return yield_section(kAnswer, reinterpret_cast<unsigned char*>(counts),
                       static_cast<uint32_t>(p - counts));
}

bool refused() { return has(at(input) + 4, read32(at(input)), R"("ok":false)"); }

bool body_ended() {
  uint32_t head = read32(at(input));
  if (head + 4 == input_length) return true;
  uint32_t length = read32(at(input) + 4 + head);
  body_bytes += length;
  body_parts++;
  if (length < 65536) small_parts++;
  return false;
}

uint32_t run() {
  for (;;) {
    if (script_at >= script_length) return yield_plain(R"({"done":true,"effects":[]})");
    unsigned char op = script[script_at];
    uint32_t n = read32(script + script_at + 1);
    uint32_t next = script_at + 5;
    switch (op) {
      case 'S':
        script_at = next + n;
        return yield(reinterpret_cast<uint32_t>(script + next), n);
      case 'H':
        script_at = next;
        return yield_head(n);
      case 'W':
        if (!repeating || !refused()) {
          repeating = true;
          return yield_section(R"({"done":false,"effects":[{"effect":"write","section":0}]})",
                               nullptr, n);
        }
        break;
      case 'B':
        if (!repeating || !body_ended()) {
          repeating = true;
          return yield_plain(R"({"done":false,"effects":[{"effect":"read_body"}]})");
        }
        break;
      case 'G':
        ensure(__builtin_wasm_memory_size(0) * kPage + n * kPage);
        break;
      case 'E':
        return yield_section(kAnswer, at(input), input_length);
      case 'C':
        return answer_counts();
      default:
        __builtin_trap();
    }
    repeating = false;
    script_at = next;
  }
}

uint32_t digit(unsigned char c) { return c <= '9' ? c - '0' : c - 'a' + 10; }

void keep_head(const unsigned char* head, uint32_t length) {
  if (length > kHeadLimit) __builtin_trap();
  copy(start_head, head, length);
  start_head_length = length;
}

// Where the script of the invocation begins in the head of its start frame, its end for none.
uint32_t find_script() {
  uint32_t scheduled = find_behind(start_head, start_head_length, R"("scheduled_time":)");
  if (scheduled == start_head_length)
    return find_behind(start_head, start_head_length, R"("x-script",")");
  char name[32];
  char* p = put(name, R"("wake_)");
  while (start_head[scheduled] >= '0' && start_head[scheduled] <= '9' && p < name + 24)
    *p++ = static_cast<char>(start_head[scheduled++]);
  *put(p, R"(":")") = 0;
  return find_behind(start_head, start_head_length, name);
}

void read_script() {
  script_length = script_at = 0;
  repeating = false;
  uint32_t i = find_script();
  if (i == start_head_length) return;
  for (; start_head[i] != '"' && script_length < kScriptLimit; i += 2) {
    script[script_length++] =
        static_cast<unsigned char>(digit(start_head[i]) << 4 | digit(start_head[i + 1]));
  }
}

constexpr const char* kAnswers =
    R"({"done":true,"effects":[],"stored_responses":{"trap":{"status":500,"headers":[["x-stored","trap"]],"section":0},)"
    R"("trap_after_batch":{"status":500,"headers":[["x-stored","trap_after_batch"]],"section":0},)"
    R"("overloaded":{"status":503,"headers":[["x-stored","overloaded"]],"section":0}}})";

}  // namespace

extern "C" {

EXPORT(sm_abi) uint32_t sm_abi() { return 5; }

EXPORT(sm_statements) uint32_t sm_statements() {
  constexpr const char* kFingerprint = "fixture";
  return yield(reinterpret_cast<uint32_t>(kFingerprint), length_of(kFingerprint));
}

EXPORT(_initialize) void initialize() {}

// One input at a time is alive, so all of them have the same place.
EXPORT(sm_alloc) uint32_t sm_alloc(uint32_t length) {
  uint32_t base = (reinterpret_cast<uint32_t>(&__heap_base) + 15) & ~15u;
  ensure(base + length + kPage);
  return base;
}

EXPORT(sm_free) void sm_free(uint32_t) {}

EXPORT(sm_start) uint32_t sm_start(uint32_t pointer, uint32_t length) {
  if (open) __builtin_trap();
  open = true;
  input = pointer;
  input_length = length;
  body_bytes = body_parts = small_parts = 0;
  const unsigned char* head = at(pointer) + 4;
  if (has(head, read32(at(pointer)), R"("kind":"stored_responses")")) {
    return yield_section(kAnswers, reinterpret_cast<const unsigned char*>("stored"), 6);
  }
  keep_head(head, read32(at(pointer)));
  read_script();
  return run();
}

EXPORT(sm_resume) uint32_t sm_resume(uint32_t pointer, uint32_t length) {
  if (!open) __builtin_trap();
  input = pointer;
  input_length = length;
  return run();
}

EXPORT(sm_close) void sm_close() { open = false; }
}
