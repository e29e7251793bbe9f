// JSON Merge Patch, RFC 7396, on canonical texts.
//
// Both texts are sorted, so the members of two objects are walked side by side and the result comes
// out canonical: one pass, nothing is parsed into a tree. What the patch does not name is copied as
// it is.
#pragma once

#include <string>
#include <string_view>

namespace sm::json {

// The target as the patch changes it. Both are canonical texts of any type, at most kMaxDepth deep
// (canonical.h), and so is the result; it may be longer than either, so the caller checks it
// against its limit.
std::string merge_patch(std::string_view target, std::string_view patch);

}  // namespace sm::json
