// Copies a canonical text and lets the caller replace values on the way, at any depth: how secrets
// are masked.
//
//   rewrite(config, [](const RewriteMember& member) -> Rewrite {
//     return member.key == "password" ? Rewrite::replace("\"***\"") : Rewrite::descend();
//   });
//
// The callback sees every member of every object that it descends into, also of objects inside
// arrays. A replacement is canonical text; keys stay, so the result is canonical.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace sm::json {

struct RewriteMember {
  std::string_view pointer;  // of the value, from the document's root
  std::string_view key;      // plain UTF-8
  std::string_view value;    // canonical
};

struct Rewrite {
  enum class Action : unsigned char {
    keep,     // copied as it is, not looked into
    descend,  // looked into where it is an object or array, else copied
    replace,  // by `text`
  };
  Action action = Action::keep;
  std::string text = {};

  static Rewrite keep() { return {Action::keep, {}}; }
  static Rewrite descend() { return {Action::descend, {}}; }
  static Rewrite replace(std::string canonical) { return {Action::replace, std::move(canonical)}; }
};

namespace detail {
using RewriteCall = Rewrite (*)(void* callback, const RewriteMember& member);
std::string rewrite_with(std::string_view canonical, void* callback, RewriteCall call);
}  // namespace detail

// The callback is called in the order of the text and lives only as long as the call. At most
// kMaxDepth deep.
template <typename F>
std::string rewrite(std::string_view canonical, F callback) {
  return detail::rewrite_with(canonical, &callback,
                              [](void* f, const RewriteMember& member) -> Rewrite {
                                return (*static_cast<F*>(f))(member);
                              });
}

}  // namespace sm::json
