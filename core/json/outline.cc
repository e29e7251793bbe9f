#include "core/json/outline.h"

namespace sm::json {

void Outline::reset(size_t levels) {
  text_.clear();
  levels_ = levels;
  depth_ = 0;
  in_string_ = escaped_ = too_much_ = false;
  escape_left_ = 0;
}

void Outline::feed(std::string_view part) {
  for (char byte : part) {
    if (in_string_) {
      in_string(byte);
    } else {
      between(byte);
    }
  }
}

Canonical Outline::read(Canonicalizer& canonicalizer, Arena& arena,
                        const Canonical& refused) const {
  Canonical read = refused;
  if (!too_much_) read.text = canonicalizer.read(text_, BufferEnd::final, arena).text;
  return read;
}

Canonical Outline::stand_in(std::string_view value, size_t levels, Canonicalizer& canonicalizer,
                            Arena& arena, const Canonical& read) {
  if (read.refusal == Refusal::none || !read.text.empty()) return read;
  reset(levels);
  feed(value.substr(0, read.offset));
  return this->read(canonicalizer, arena, read);
}

void Outline::in_string(char byte) {
  bool starts = !escaped_ && escape_left_ == 0;
  if (starts && byte == '"') {
    in_string_ = false;
    return keep(byte);
  }
  bool begins = starts && (static_cast<uint8_t>(byte) & 0xC0) != 0x80;
  if (escaped_) {
    escape_left_ = byte == 'u' ? 4 : 0;
  } else if (escape_left_ > 0) {
    --escape_left_;
  }
  escaped_ = starts && byte == '\\';
  // Nothing is cut within an escape or a character of several bytes.
  if (begins) is_cut_ = string_bytes_ >= kOutlineStringBytes;
  if (is_cut_) return;
  ++string_bytes_;
  keep(byte);
}

void Outline::between(char byte) {
  if (byte == '}' || byte == ']') --depth_;
  bool opens = byte == '{' || byte == '[';
  if (depth_ == levels_ && (opens || byte == '}' || byte == ']')) {
    // A container that lies one level too deep: an empty list in its place, once.
    if (opens) {
      keep('[');
      keep(']');
    }
  } else if (byte != ' ' && byte != '\n' && byte != '\r' && byte != '\t') {
    keep(byte);
  }
  if (opens) ++depth_;
  if (byte == '"') {
    in_string_ = true;
    is_cut_ = false;
    string_bytes_ = 0;
  }
}

// Only what lies in the first levels.
void Outline::keep(char byte) {
  if (depth_ > levels_ || too_much_) return;
  too_much_ = text_.size() == kMaxOutlineBytes;
  if (!too_much_) text_ += byte;
}

}  // namespace sm::json
