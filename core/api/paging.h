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

// The entity tag of a list: of the state that its rows are read from, and of the query, so that the
// answers of one path differ in it. `kind` as in http::entity_tag.
std::string list_tag(const Call& call, std::string_view kind, std::initializer_list<int64_t> state);

}  // namespace sm::api
