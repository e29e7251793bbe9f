// Lists: a bare JSON array of all rows, streamed page by page in bounded memory, or one page with a
// link to the next.
//
// Pages are read by keyset: each continues behind the last id of the one before, so rows that are
// deleted or added meanwhile neither repeat nor hide others. The first query reads the state of the
// list, too, for the entity tag: a list that fits it is one call of the store. Behind the last row
// of a longer one its state is looked at again: a parent that went took its rows with it.
//
// What a query brings is bounded: rows may have 512 KiB each, but most have little. So it asks for
// many rows, and for their data only up to a size. A larger one ends what is taken of it, and the
// next query asks for fewer rows, which may be larger. A page that a client asked for has fewer
// rows than it asked for only where they are very large, and its link to the next one tells that
// there are more. A stream that fails, or loses its parent, is cut off, never closed.
#pragma once

#include <optional>
#include <string>
#include <vector>

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

// The filters of properties: `removed` of either side, `external_id` and `updated_since` too, the
// others of a target's.
struct PropertyFilters {
  std::optional<std::string> external_id = {};
  std::optional<bool> removed = {};
  std::optional<std::string> updated_since = {};
  // What was written before this was changed before `updated_since`, whatever clock it has.
  std::optional<std::string> surely_before = {};
  std::optional<bool> has_manual_changes = {};
  std::optional<std::string> sync_status = {};
  std::optional<SourceId> owner = {};
};

// Which rows: the tenant's, under a parent and a row of it where the list has one, and filters.
struct ListKey {
  TenantId tenant;
  Connector connector = Connector::source;
  int64_t parent = 0;
  int64_t row = 0;
  LogFilters logs = {};
  PropertyFilters properties = {};
};

// Which part of a list one query reads: up to `rows` rows behind the id `after`. Of a row with more
// than `largest` bytes of data it reads only how many they are, so that it never brings more than
// `rows` times `largest` bytes. The answer has `given` rows already.
struct Slice {
  int64_t after;
  int64_t rows;
  int64_t largest;
  int64_t given = 0;
};

// What became of the next row: whether it was appended, or is so large that it came without its
// data.
struct TakenRow {
  int64_t id;
  int64_t bytes = 0;  // of its data; 0 where rows are small
  bool appended = true;
};

// How rows stand in an answer: what opens it, what stands between two rows, and what closes it.
struct ListForm {
  std::string_view media_type;
  std::string_view open;
  std::string_view between;
  std::string_view close;
};
inline constexpr ListForm kJsonList{"application/json", "[", ",", "]\n"};

struct List {
  ListKey key;
  // What the entity tag is made of; nothing where there is nothing that could have a list.
  Statement (*state)(const ListKey& key);
  std::optional<std::vector<int64_t>> (*numbers)(const ListKey& key, store::Rows& state);
  std::string tag_kind;  // as in http::entity_tag; differs with the query of the request
  // The rows of a slice.
  Statement (*page)(const ListKey& key, Slice slice);
  // Reads the next of them and appends it in the list's form.
  TakenRow (*append_next)(std::string& text, store::Rows& rows);
  ListForm form = kJsonList;
};

// The page that a request asks for, from its parameters `limit` and `cursor`.
struct PageRequest {
  std::optional<int64_t> limit;
  int64_t after = 0;
};

// Answers the request: 304 where it has the list already. Errors before the first byte: not_found
// where the list's parent is not there, those of the store.
Task<Result<http::Response>> answer_list(Invocation& in, http::Request request, List list,
                                         PageRequest page);

// A cursor is bound to the tenant and the path it was made for; one that we did not make there
// gives nothing.
std::string make_cursor(const Deployment& deployment, TenantId tenant, std::string_view path,
                        int64_t after);
std::optional<int64_t> read_cursor(const Deployment& deployment, TenantId tenant,
                                   std::string_view path, std::string_view cursor);

}  // namespace sm::flow
