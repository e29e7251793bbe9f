#include "core/api/paging.h"

#include "core/base/encoding.h"

namespace sm::api {
namespace {

constexpr std::string_view kForeignCursor =
    "is not a cursor of this list: take it from a Link header";

}  // namespace

Result<flow::PageRequest> read_page_request(Invocation& in, const Call& call) {
  flow::PageRequest page;
  page.limit = call.arguments.integer("limit");
  if (auto cursor = call.arguments.text("cursor")) {
    auto after = flow::read_cursor(in.deployment(), call.tenant, call.request.path(), *cursor);
    if (!after) return invalid_parameter("cursor", std::string(kForeignCursor));
    page.after = *after;
  }
  return page;
}

std::string list_tag_kind(const Call& call, std::string_view kind) {
  return std::string(kind) + std::to_string(crc32(call.request.raw_query()));
}

}  // namespace sm::api
