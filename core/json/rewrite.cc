#include "core/json/rewrite.h"

#include "core/json/cursor.h"
#include "core/json/pointer.h"

namespace sm::json::detail {
namespace {

class Rewriter {
 public:
  Rewriter(void* callback, RewriteCall call) : callback_(callback), call_(call) {}

  std::string run(std::string_view canonical) {
    value(canonical);
    return std::move(out_);
  }

 private:
  void value(std::string_view text) {
    switch (type_of(text)) {
      case ValueType::object:
        return object(text);
      case ValueType::array:
        return array(text);
      default:
        out_ += text;
    }
  }

  void object(std::string_view text) {
    char before = '{';
    for (MemberCursor member(text); member.next(); before = ',') {
      out_ += before;
      out_ += member.key();
      out_ += ':';
      std::string key = unquote(member.key());
      size_t outer = pointer_.size();
      append_token(pointer_, key);
      Rewrite rewrite = call_(callback_, {pointer_, key, member.value()});
      switch (rewrite.action) {
        case Rewrite::Action::keep:
          out_ += member.value();
          break;
        case Rewrite::Action::descend:
          value(member.value());
          break;
        case Rewrite::Action::replace:
          out_ += rewrite.text;
          break;
      }
      pointer_.resize(outer);
    }
    out_ += before == '{' ? "{}" : "}";
  }

  void array(std::string_view text) {
    char before = '[';
    size_t index = 0;
    for (ElementCursor element(text); element.next(); before = ',') {
      out_ += before;
      size_t outer = pointer_.size();
      append_token(pointer_, std::to_string(index++));
      value(element.value());
      pointer_.resize(outer);
    }
    out_ += before == '[' ? "[]" : "]";
  }

  void* callback_;
  RewriteCall call_;
  std::string pointer_;
  std::string out_;
};

}  // namespace

std::string rewrite_with(std::string_view canonical, void* callback, RewriteCall call) {
  return Rewriter(callback, call).run(canonical);
}

}  // namespace sm::json::detail
