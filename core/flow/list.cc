#include "core/flow/list.h"

#include <algorithm>
#include <cstring>

#include "core/base/encoding.h"
#include "core/base/limits.h"
#include "core/base/sha256.h"
#include "core/http/conditional.h"
#include "core/store/store.h"

namespace sm::flow {
namespace {

constexpr size_t kSignatureBytes = 12;

std::string sign(const Deployment& deployment, TenantId tenant, std::string_view path,
                 std::string_view id) {
  std::string message = "cursor:" + std::to_string(tenant.value) + ":" + std::string(path) + ":";
  message += id;
  Sha256Digest digest = hmac_sha256(deployment.var("API_KEY_PEPPER"), message);
  return {reinterpret_cast<const char*>(digest.data()), kSignatureBytes};
}

// The same request for the page behind `after`: every parameter but the cursor stays.
std::string next_target(const http::Request& request, std::string_view cursor) {
  std::string target(request.path());
  char joint = '?';
  for (const auto& [name, value] : http::parse_query(request.raw_query())) {
    if (name == "cursor") continue;
    target += std::exchange(joint, '&') + http::encode_query_value(name) + "=" +
              http::encode_query_value(value);
  }
  return target + joint + "cursor=" + std::string(cursor);
}

// Whether there are rows behind a page. A query reads one row more than the page shows; where bytes
// may have cut it, the answer is open.
enum class More { no, yes, maybe };

// A page as it came: `unread` rows of it are still to be shown.
struct Page {
  store::Rows rows;
  size_t unread = 0;
  int64_t last = 0;  // the id of the last row that was read
  More more = More::no;
};

Task<Result<Page>> read_page(Invocation& in, List list, Slice slice) {
  Slice wanted{slice.after, slice.rows + 1, slice.bytes};
  CO_TRY(store::Rows rows, co_await store::query(in, list.page(list.key, wanted)));
  Page page;
  page.last = slice.after;
  page.unread = std::min(rows.size(), static_cast<size_t>(slice.rows));
  bool cut = rows.bytes() >= static_cast<size_t>(slice.bytes);
  page.more = rows.size() > page.unread ? More::yes : cut ? More::maybe : More::no;
  page.rows = std::move(rows);
  co_return page;
}

// Appends rows until the text has `bytes`, or none is left. `joint` stands before the next row.
void append_rows(std::string& json, Page& page, const List& list, char& joint, size_t bytes) {
  for (; page.unread > 0 && json.size() < bytes; --page.unread) {
    json += std::exchange(joint, ',');
    page.last = list.append_next(json, page.rows);
  }
}

std::string whole_json(Page& page, const List& list) {
  std::string json;
  json.reserve(page.rows.bytes() + page.rows.bytes() / 4);
  char joint = '[';
  append_rows(json, page, list, joint, SIZE_MAX);
  if (joint == '[') json += joint;
  return json += "]\n";
}

Task<Result<Unit>> send(Invocation& in, Effect effect) {
  std::vector<Effect> effects;
  effects.push_back(std::move(effect));
  std::vector<Reply> replies = co_await in.perform(std::move(effects));
  if (replies[0].error) co_return std::move(*replies[0].error);
  co_return Unit{};
}

// The first page is there already: a store that fails before it gives a problem, not half a list.
// A page is sent in parts, so that its JSON does not take as much memory again, and a reader is
// seen to take it.
Task<Result<http::Response>> stream(Invocation& in, List list, Page page, http::Response response) {
  response.respond.body = Respond::Body::stream;
  CO_TRY([[maybe_unused]] Unit begun, co_await send(in, response.respond));
  char joint = '[';
  while (true) {
    do {
      std::string part;
      part.reserve(kStreamPartBytes + kStreamPartBytes / 4);
      append_rows(part, page, list, joint, kStreamPartBytes);
      bool last = page.unread == 0 && page.more == More::no;
      if (last) part += "]\n";
      Result<Unit> written = co_await send(in, Write{std::move(part)});
      if (!written.ok()) co_return http::Response{http::Response::Form::streamed_broken};
      if (last) co_return http::Response{http::Response::Form::streamed_whole};
    } while (page.unread > 0);
    // The frame that brought the page goes before the next one comes.
    page.rows = store::Rows();
    Result<Page> next =
        co_await read_page(in, list, {page.last, kStreamPageRows, kStreamPageBytes});
    if (!next.ok()) co_return http::Response{http::Response::Form::streamed_broken};
    page = std::move(next).value();
  }
}

}  // namespace

Task<Result<http::Response>> answer_list(Invocation& in, http::Request request, List list,
                                         PageRequest asked) {
  http::Response response = http::with_header(http::json(200, ""), "etag", list.tag);
  response = http::unless_known(request, std::move(response));
  if (response.respond.status == 304) co_return response;
  // HEAD of a whole list has nothing to say about its rows.
  if (request.method == "HEAD" && !asked.limit) co_return response;
  if (!asked.limit) {
    CO_TRY(Page page,
           co_await read_page(in, list, {asked.after, kStreamPageRows, kStreamPageBytes}));
    if (page.more != More::no) {
      co_return co_await stream(in, std::move(list), std::move(page), std::move(response));
    }
    response.respond.content = whole_json(page, list);
    co_return response;
  }
  CO_TRY(Page page, co_await read_page(in, list, {asked.after, *asked.limit, kPageBytes}));
  response.respond.content = whole_json(page, list);
  // A client that asked for a page must know whether another one follows.
  if (page.more == More::maybe) {
    CO_TRY(store::Rows next, co_await store::query(in, list.page(list.key, {page.last, 1, 1})));
    page.more = next.size() > 0 ? More::yes : More::no;
  }
  if (page.more == More::yes) {
    std::string cursor = make_cursor(in.deployment(), list.key.tenant, request.path(), page.last);
    response = http::with_header(std::move(response), "link",
                                 "<" + next_target(request, cursor) + ">; rel=\"next\"");
  }
  co_return response;
}

std::string make_cursor(const Deployment& deployment, TenantId tenant, std::string_view path,
                        int64_t after) {
  std::string id(sizeof after, '\0');
  std::memcpy(id.data(), &after, sizeof after);
  return to_base64url(id + sign(deployment, tenant, path, id));
}

std::optional<int64_t> read_cursor(const Deployment& deployment, TenantId tenant,
                                   std::string_view path, std::string_view cursor) {
  auto bytes = from_base64url(cursor);
  int64_t after = 0;
  if (!bytes || bytes->size() != sizeof after + kSignatureBytes) return std::nullopt;
  std::string_view id = std::string_view(*bytes).substr(0, sizeof after);
  if (!equal_in_constant_time(std::string_view(*bytes).substr(sizeof after),
                              sign(deployment, tenant, path, id))) {
    return std::nullopt;
  }
  std::memcpy(&after, id.data(), sizeof after);
  return after;
}

}  // namespace sm::flow
