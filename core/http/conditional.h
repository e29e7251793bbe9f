// Conditional requests (RFC 9110, section 13): strong entity tags, and what If-None-Match says
// about them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/ids.h"
#include "core/http/request.h"
#include "core/http/response.h"

namespace sm::http {

// Part of every tag: a deployment that changes how rows are shown must not answer 304 for what
// older ones sent.
inline constexpr std::string_view kShapeVersion = "2";

// A tag of the kind of row, the tenant and the numbers that its state is made of, quotes included.
// Two tenants never have the same: a cache that holds the answer to one must not show it to the
// other, however alike their histories are.
std::string entity_tag(std::string_view kind, TenantId tenant, const std::vector<int64_t>& state);

// Whether the header names the tag, or any (`*`). Weak comparison, as the RFC asks for
// If-None-Match.
bool names_tag(std::optional<std::string_view> if_none_match, std::string_view tag);

// Whether If-Match lets a change go on: it lacks, or names the tag. A weak tag counts as the strong
// one, since a proxy that compresses makes it weak.
bool may_change(const Request& request, std::string_view tag);

// The answer, or 304 where the request names its ETag: with the fields that the answer would have
// had (RFC 9110, section 15.4.5), so that a cache that refreshes what it holds keeps its rules.
Response unless_known(const Request& request, Response response);

}  // namespace sm::http
