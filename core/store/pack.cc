#include "core/store/pack.h"

#include <algorithm>
#include <cstdio>

#include "core/base/limits.h"
#include "core/json/simd.h"
#include "core/json/text.h"

namespace sm::store {
namespace {

enum class Quotes { escaped, as_delete };

// A byte becomes so many characters at worst: a control character does, and two bytes of UTF-8 make
// one escape of six.
constexpr size_t kWorstAsciiGrowth = 6;
// What an item takes beside its text: the comma, four quotation marks, a colon, hash and place.
constexpr size_t kItemBytes = 6 + 64 + 8;

uint32_t decode(const char*& p) {
  auto byte = [&](int at) { return static_cast<uint32_t>(static_cast<uint8_t>(p[at])); };
  uint32_t code;
  if (byte(0) < 0xE0) {
    code = (byte(0) & 0x1F) << 6 | (byte(1) & 0x3F);
    p += 2;
  } else if (byte(0) < 0xF0) {
    code = (byte(0) & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F);
    p += 3;
  } else {
    code =
        (byte(0) & 0x07) << 18 | (byte(1) & 0x3F) << 12 | (byte(2) & 0x3F) << 6 | (byte(3) & 0x3F);
    p += 4;
  }
  return code;
}

char* write_unit(char* out, uint32_t unit) {
  constexpr char kHex[] = "0123456789abcdef";
  *out++ = '\\';
  *out++ = 'u';
  for (int shift = 12; shift >= 0; shift -= 4) *out++ = kHex[unit >> shift & 15];
  return out;
}

char* write_one(const char*& p, char* out, Quotes quotes) {
  auto byte = static_cast<uint8_t>(*p);
  if (byte >= 0x80) {
    uint32_t code = decode(p);
    if (code < 0x10000) return write_unit(out, code);
    code -= 0x10000;
    return write_unit(write_unit(out, 0xD800 + (code >> 10)), 0xDC00 + (code & 0x3FF));
  }
  ++p;
  if (byte == '"' && quotes == Quotes::as_delete) {
    *out++ = '\x7f';
    return out;
  }
  if (byte < 0x20) return write_unit(out, byte);
  if (byte == '"' || byte == '\\') *out++ = '\\';
  *out++ = static_cast<char>(byte);
  return out;
}

// Appends UTF-8 text as the inside of an ASCII JSON string. 16 bytes at a time where nothing needs
// an escape; quotation marks, which JSON has so many of, are exchanged on the way.
void append_ascii(std::string& text, std::string_view utf8, Quotes quotes) {
  // A sequence that crosses a block's end is still written whole, as twelve bytes at most.
  constexpr size_t kBlock = 4096;
  constexpr size_t kLongestSequence = 12;
  char buffer[kBlock * kWorstAsciiGrowth + kLongestSequence];
  const char* p = utf8.data();
  const char* end = p + utf8.size();
  while (p < end) {
    const char* block_end = static_cast<size_t>(end - p) > kBlock ? p + kBlock : end;
    char* out = buffer;
    while (p < block_end) {
      if (block_end - p >= 16) {
        json::Bytes16 bytes = json::load16(p);
        auto quote_bytes = (json::Bytes16)(bytes == '"');
        auto escape = (json::Bytes16)(bytes == '\\') | (json::Bytes16)(bytes < 0x20) | bytes;
        if (quotes == Quotes::escaped) escape |= quote_bytes;
        if (json::bit_mask(escape) == 0) {
          json::store16(out, (bytes & ~quote_bytes) | (quote_bytes & 0x7f));
          p += 16;
          out += 16;
          continue;
        }
        for (const char* stop = p + 16; p < stop;) out = write_one(p, out, quotes);
        continue;
      }
      out = write_one(p, out, quotes);
    }
    text.append(buffer, static_cast<size_t>(out - buffer));
  }
}

void append_hash(std::string& text, const Sha256Digest& hash) {
  text.resize(text.size() + 64);
  write_hex(hash, text.data() + text.size() - 64);
}

}  // namespace

void IdentityPack::add(const Sha256Digest& hash, std::string_view external_id) {
  text_ += items_++ == 0 ? "\"" : ",\"";
  append_hash(text_, hash);
  append_ascii(text_, external_id, Quotes::escaped);
  text_ += '"';
}

void IdentityPack::add_placed(const Sha256Digest& hash, size_t place,
                              std::string_view external_id) {
  char digits[9];
  std::snprintf(digits, sizeof digits, "%08u", static_cast<unsigned>(place));
  text_ += items_++ == 0 ? "\"" : ",\"";
  append_hash(text_, hash);
  text_.append(digits, 8);
  append_ascii(text_, external_id, Quotes::escaped);
  text_ += '"';
}

Pack IdentityPack::finish() {
  text_ += ']';
  items_ = 0;
  return std::make_shared<const std::string>(std::exchange(text_, "["));
}

bool DataPacks::fits(const Open& open, std::string_view data) {
  if (open.text.size() == 1) return true;
  size_t room = kDataPackBytes - std::min(kDataPackBytes, open.text.size());
  // What fits at its worst need not be measured: that is most data.
  if (kItemBytes + data.size() * kWorstAsciiGrowth <= room) return true;
  return kItemBytes + json::ascii_size(data) <= room;
}

void DataPacks::add(const Sha256Digest& hash, size_t place, std::string_view data) {
  bool has_delete = data.find('\x7f') != std::string_view::npos;
  Open& open = has_delete ? verbatim_ : plain_;
  if (!fits(open, data)) close(open);
  // What has outgrown a small import becomes a whole pack.
  constexpr size_t kSmall = 32 * 1024;
  if (open.text.size() > kSmall) open.text.reserve(kDataPackBytes + kDataPackBytes / 8);
  open.text += open.text.size() == 1 ? "\"" : ",\"";
  append_hash(open.text, hash);
  open.text += std::to_string(place);
  open.text += "\":\"";
  append_ascii(open.text, data, has_delete ? Quotes::escaped : Quotes::as_delete);
  open.text += '"';
}

void DataPacks::close(Open& open) {
  open.text += '}';
  parts_.push_back(
      {open.quote, std::make_shared<const std::string>(std::exchange(open.text, "{"))});
}

std::vector<DataPacks::Part> DataPacks::finish() {
  if (plain_.text.size() > 1) close(plain_);
  if (verbatim_.text.size() > 1) close(verbatim_);
  return std::move(parts_);
}

}  // namespace sm::store
