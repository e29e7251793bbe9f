#include "core/http/conditional.h"

#include <algorithm>
#include <array>

#include "core/base/limits.h"

namespace sm::http {
namespace {

// RFC 9110, section 15.4.5. What else describes the body that is not sent stays away.
constexpr std::array<std::string_view, 6> kNotModifiedFields = {
    "cache-control", "content-location", "date", "etag", "expires", "vary"};

Response not_modified(Response response) {
  Response unchanged = no_content(304);
  for (Header& header : response.respond.headers) {
    bool kept = std::find(kNotModifiedFields.begin(), kNotModifiedFields.end(), header.name) !=
                kNotModifiedFields.end();
    if (kept) unchanged.respond.headers.push_back(std::move(header));
  }
  return unchanged;
}

}  // namespace

std::string entity_tag(std::string_view kind, TenantId tenant, const std::vector<int64_t>& state) {
  std::string tag = "\"";
  tag += kind;
  tag += kShapeVersion;
  tag += "-" + std::to_string(tenant.value);
  for (int64_t number : state) tag += "-" + std::to_string(number);
  tag += '"';
  return tag;
}

bool names_tag(std::optional<std::string_view> if_none_match, std::string_view tag) {
  if (!if_none_match) return false;
  std::string_view list = *if_none_match;
  for (size_t looked_at = 0; !list.empty() && looked_at < kMaxEntityTags; ++looked_at) {
    size_t start = list.find_first_not_of(" \t,");
    if (start == std::string_view::npos) return false;
    list.remove_prefix(start);
    if (list[0] == '*') return true;
    if (list.substr(0, 2) == "W/") list.remove_prefix(2);
    size_t end = list.find('"', 1);
    if (list.empty() || list[0] != '"' || end == std::string_view::npos) return false;
    if (list.substr(0, end + 1) == tag) return true;
    list.remove_prefix(end + 1);
  }
  return false;
}

bool may_change(const Request& request, std::string_view tag) {
  auto if_match = request.header("if-match");
  return !if_match || names_tag(if_match, tag);
}

Response unless_known(const Request& request, Response response) {
  for (const Header& header : response.respond.headers) {
    if (header.name == "etag" && names_tag(request.header("if-none-match"), header.value)) {
      return not_modified(std::move(response));
    }
  }
  return response;
}

}  // namespace sm::http
