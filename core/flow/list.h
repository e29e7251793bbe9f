// Lists: a bare JSON array of all rows, streamed page by page in bounded memory, or one page with a
// link to the next.
//
// Pages are read by keyset: each continues behind the last id of the one before, so rows that are
// deleted or added meanwhile neither repeat nor hide others. They are bounded by rows and by bytes:
// a page that a client asked for has fewer rows than it asked for only where they are very large,
// and its link to the next one tells that there are more. The entity tag was taken before the
// first row is read. A stream that fails is cut off, never closed.
#pragma once

#include <optional>
#include <string>

#include "core/base/ids.h"
#include "core/base/invocation.h"
#include "core/base/result.h"
#include "core/http/request.h"
#include "core/http/response.h"
#include "core/store/rows.h"

namespace sm::flow {

// The filters of the log.
struct LogFilters {
  std::optional<SourceId> source = {};
  std::optional<TargetId> target = {};
  std::optional<std::string> status = {};
  std::optional<std::string> type = {};
};

// The filters of properties. `flag` is `removed` of a source's, `has_manual_changes` of a target's.
struct PropertyFilters {
  std::optional<std::string> external_id = {};
  std::optional<int64_t> flag = {};
  std::optional<std::string> updated_since = {};
};

// Which rows: the tenant's, under a parent and a row of it where the list has one, and filters.
struct ListKey {
  TenantId tenant;
  Side side = Side::source;
  int64_t parent = 0;
  int64_t row = 0;
  LogFilters logs = {};
  PropertyFilters properties = {};
};

// Which part of a list one query reads: up to `rows` rows behind the id `after`, and none behind
// the one with which their data passes `bytes` (where rows are small that does not matter).
struct Slice {
  int64_t after;
  int64_t rows;
  int64_t bytes;
};

struct List {
  ListKey key;
  // The rows of a slice.
  Statement (*page)(const ListKey& key, Slice slice);
  // Reads the next of them and appends it: its id.
  int64_t (*append_next)(std::string& json, store::Rows& rows);
  std::string tag;
};

// The page that a request asks for, from its parameters `limit` and `cursor`.
struct PageRequest {
  std::optional<int64_t> limit;
  int64_t after = 0;
};

// Answers the request: 304 where it has the list already. Errors before the first byte: those of
// the store.
Task<Result<http::Response>> answer_list(Invocation& in, http::Request request, List list,
                                         PageRequest page);

// A cursor is bound to the tenant and the path it was made for; one that we did not make there
// gives nothing.
std::string make_cursor(const Deployment& deployment, TenantId tenant, std::string_view path,
                        int64_t after);
std::optional<int64_t> read_cursor(const Deployment& deployment, TenantId tenant,
                                   std::string_view path, std::string_view cursor);

}  // namespace sm::flow
