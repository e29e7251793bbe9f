// Lists as their routes answer them: the page that a request asks for, and the tag of the whole.
#pragma once

#include "core/api/call.h"
#include "core/flow/list.h"

namespace sm::api {

// From the parameters `limit` and `cursor`, which every list takes. Errors: invalid, where the
// cursor was not made by us for this list.
Result<flow::PageRequest> read_page_request(Invocation& in, const Call& call);

// The kind of a list's entity tag: the answers of one path differ with the query. `kind` as in
// http::entity_tag.
std::string list_tag_kind(const Call& call, std::string_view kind);

}  // namespace sm::api
