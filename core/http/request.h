// A request as it came in, and the answers of pure functions about it: path segments, query
// parameters, media types.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/effect.h"

namespace sm::http {

struct Request {
  std::string method;
  std::string target;           // path and query as received
  std::vector<Header> headers;  // names in lower case
  bool has_body = false;
  bool arrived = true;  // all of the body is with the host, so that reading it waits for nobody
  std::string address = {};  // of the client, as the platform says it; empty where it does not

  std::string_view path() const;
  std::string_view raw_query() const;
  std::optional<std::string_view> header(std::string_view name) const;
};

// The parameters of a query in order, decoded (application/x-www-form-urlencoded: `+` is a blank).
// Bytes that do not decode to UTF-8 stay encoded.
std::vector<std::pair<std::string, std::string>> parse_query(std::string_view raw);

// For one value of a query: the reverse of the above.
std::string encode_query_value(std::string_view value);

// An id in a path: decimal digits without sign or leading zero. Nothing for other text; 0, which no
// row has, where it is larger than any id.
std::optional<int64_t> parse_id(std::string_view segment);

// The type and subtype of a content type in lower case, without parameters.
std::string media_type(std::string_view content_type);

}  // namespace sm::http
