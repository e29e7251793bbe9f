// The parameters `limit` and `cursor`, which every list takes.
#pragma once

#include "core/api/call.h"
#include "core/flow/list.h"

namespace sm::api {

inline constexpr Parameter kLimit{"limit",
                                  "Rows of a page, 1 to 1000; without it all rows are streamed."};
inline constexpr Parameter kCursor{
    "cursor", "Where a page begins: taken from the Link header of the one before."};

// Errors: invalid, naming the parameter.
Result<flow::PageRequest> read_page_request(Invocation& in, const Call& call,
                                            const Parameters& parameters);

// The kind of a list's entity tag: the answers of one path differ with the query. `kind` as in
// http::entity_tag.
std::string list_tag_kind(const Call& call, std::string_view kind);

}  // namespace sm::api
