#include "core/api/paging.h"

#include "core/base/encoding.h"
#include "core/base/limits.h"

namespace sm::api {

Result<flow::PageRequest> read_page_request(Invocation& in, const Call& call,
                                            const Parameters& parameters) {
  flow::PageRequest page;
  if (auto limit = parameters.find("limit"); limit != parameters.end()) {
    TRY(page.limit, read_integer("limit", limit->second, 1, kMaxPageRows));
  }
  if (auto cursor = parameters.find("cursor"); cursor != parameters.end()) {
    auto after =
        flow::read_cursor(in.deployment(), call.tenant, call.request.path(), cursor->second);
    if (!after)
      return invalid_parameter("cursor",
                               "is not a cursor of this list: take it from a Link header");
    page.after = *after;
  }
  return page;
}

std::string list_tag_kind(const Call& call, std::string_view kind) {
  return std::string(kind) + std::to_string(crc32(call.request.raw_query()));
}

}  // namespace sm::api
