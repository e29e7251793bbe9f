#include "core/flow/list.h"

#include <algorithm>
#include <cstring>

#include "core/base/encoding.h"
#include "core/base/limits.h"
#include "core/base/sha256.h"
#include "core/flow/deployment.h"
#include "core/flow/memory.h"
#include "core/http/conditional.h"
#include "core/store/store.h"

namespace sm::flow {
namespace {

constexpr size_t kSignatureBytes = 12;

std::string sign(const Deployment& deployment, TenantId tenant, std::string_view path,
                 std::string_view id) {
  std::string message = "cursor:" + std::to_string(tenant.value) + ":" + std::string(path) + ":";
  message += id;
  // Without a pepper there are no keys: the administrator alone has lists.
  auto pepper = digest_of(deployment, kPepper);
  Sha256Digest digest =
      pepper.ok() ? hmac_sha256_behind(pepper.value(), message) : hmac_sha256({}, message);
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

// What a query brought: `unread` rows of it are still to be taken.
struct Part {
  store::Rows rows;
  size_t unread = 0;
  bool whole = false;      // there are no rows behind it
  int64_t last = 0;        // the id of the last row that was taken
  int64_t most_bytes = 0;  // of a row, as far as it was looked at
};

Slice slice_of(int64_t after, int64_t rows, int64_t bytes) { return {after, rows, bytes / rows}; }

// Goes on behind what was taken, with fewer rows where they turn out to be large.
Slice next_slice(const Part& part, int64_t rows, int64_t bytes) {
  int64_t fitting = part.most_bytes > 0 ? bytes / part.most_bytes : rows;
  return slice_of(part.last, std::clamp(fitting, int64_t{1}, rows), bytes);
}

Part part_of(store::Rows rows, Slice slice) {
  Part part;
  part.last = slice.after;
  part.unread = rows.size();
  part.whole = part.unread < static_cast<size_t>(slice.rows);
  part.rows = std::move(rows);
  return part;
}

Task<Result<Part>> read_part(Invocation& in, const List& list, Slice slice) {
  CO_TRY(store::Rows rows, co_await store::query(in, list.page(list.key, slice)));
  co_return part_of(std::move(rows), slice);
}

Result<std::string> tag_of(const List& list, store::Rows& state) {
  auto numbers = list.numbers(list.key, state);
  if (!numbers) return not_found();
  return http::entity_tag(list.tag_kind, list.key.tenant, *numbers);
}

Task<Result<std::string>> read_tag(Invocation& in, const List& list) {
  CO_TRY(store::Rows state, co_await store::query(in, list.state(list.key)));
  co_return tag_of(list, state);
}

struct Opening {
  std::string tag;
  Part part;
};

// The tag of the list and its first part, of one moment.
Task<Result<Opening>> open(Invocation& in, const List& list, Slice slice) {
  std::vector<Statement> statements;
  statements.push_back(list.state(list.key));
  statements.push_back(list.page(list.key, slice));
  CO_TRY(std::vector<store::Rows> results, co_await store::query_all(in, std::move(statements)));
  CO_TRY(std::string tag, tag_of(list, results[0]));
  co_return Opening{std::move(tag), part_of(std::move(results[1]), slice)};
}

// An answer's text in the making, or what of it is not sent yet.
struct Text {
  std::string bytes;
  int64_t rows = 0;  // of the whole answer, so far
};

void close(Text& text, const ListForm& form) {
  if (text.rows == 0) text.bytes += form.open;
  text.bytes += form.close;
}

// Appends the next row; false where there is none, or where it was too large to come with its data:
// then there is more behind the part.
bool append_row(Text& text, Part& part, const List& list) {
  if (part.unread == 0) return false;
  size_t before = text.bytes.size();
  text.bytes += text.rows == 0 ? list.form.open : list.form.between;
  TakenRow row = list.append_next(text.bytes, part.rows);
  part.most_bytes = std::max(part.most_bytes, row.bytes);
  if (!row.appended) {
    text.bytes.resize(before);
    part.unread = 0;
    part.whole = false;
    return false;
  }
  --part.unread;
  ++text.rows;
  part.last = row.id;
  return true;
}

// Appends rows until the text has `bytes`, or the part is used up.
void append_rows(Text& text, Part& part, const List& list, size_t bytes) {
  while (text.bytes.size() < bytes && append_row(text, part, list)) {
  }
}

Task<Result<Unit>> send(Invocation& in, Effect effect) {
  std::vector<Effect> effects;
  effects.push_back(std::move(effect));
  std::vector<Reply> replies = co_await in.perform(std::move(effects));
  if (replies[0].error) co_return std::move(*replies[0].error);
  co_return Unit{};
}

// The first part is there already: a store that fails before it gives a problem, not half a list.
// It is sent in pieces, so that its text does not take as much memory again. The next part is read
// when the reader has taken the last piece: reading ahead would hold as much memory again for each
// reader that stalls.
Task<Result<http::Response>> stream(Invocation& in, List list, Text text, Part part,
                                    http::Response response) {
  using Form = http::Response::Form;
  response.respond.body = Respond::Body::stream;
  CO_TRY([[maybe_unused]] Unit begun, co_await send(in, response.respond));
  while (true) {
    append_rows(text, part, list, kStreamPartBytes);
    bool last = part.unread == 0 && part.whole;
    if (last) {
      Result<std::string> there = co_await read_tag(in, list);
      if (!there.ok()) co_return http::Response{Form::streamed_broken};
      close(text, list.form);
    }
    if (!text.bytes.empty()) {
      Result<Unit> written = co_await send(in, Write{std::exchange(text.bytes, std::string())});
      if (!written.ok()) co_return http::Response{Form::streamed_broken};
    }
    if (last) co_return http::Response{Form::streamed_whole};
    if (part.unread > 0) continue;
    // The frame that brought the part goes before the next one comes.
    part.rows = store::Rows();
    Slice slice = next_slice(part, kStreamSliceRows, kStreamSliceBytes);
    slice.given = text.rows;
    Result<Part> next = co_await read_part(in, list, slice);
    if (!next.ok()) co_return http::Response{Form::streamed_broken};
    part = std::move(next).value();
  }
}

struct ShownPage {
  Text text;
  int64_t last = 0;
  bool more = false;
};

// Adds rows of a part, up to a number of them. True where the page is full, or the list at its end.
bool fill(ShownPage& page, Part& part, const List& list, int64_t limit) {
  while (true) {
    size_t before = page.text.bytes.size();
    if (!append_row(page.text, part, list)) return part.whole;
    bool too_much = page.text.bytes.size() > static_cast<size_t>(kPageBytes);
    page.more = page.text.rows > limit || (too_much && page.text.rows > 1);
    if (page.more) {
      page.text.bytes.resize(before);
      return true;
    }
    page.last = part.last;
  }
}

// One row more than the page shows is read, to know whether another page follows. What the first
// query did not bring is not known to be small.
Task<Result<ShownPage>> read_page(Invocation& in, const List& list, Part part, int64_t limit) {
  ShownPage page;
  while (!fill(page, part, list, limit)) {
    Slice slice = next_slice(part, limit + 1 - page.text.rows, kPageBytes);
    CO_TRY([[maybe_unused]] Unit held,
           co_await reserve_memory(in, kPageMemoryPerByte * kPageBytes));
    part.rows = store::Rows();
    CO_TRY(part, co_await read_part(in, list, slice));
  }
  close(page.text, list.form);
  co_return page;
}

}  // namespace

Task<Result<http::Response>> answer_list(Invocation& in, http::Request request, List list,
                                         PageRequest asked) {
  // HEAD of a whole list has nothing to say about its rows.
  bool without_rows = request.method == "HEAD" && !asked.limit;
  if (without_rows || request.header("if-none-match")) {
    CO_TRY(std::string tag, co_await read_tag(in, list));
    http::Response response =
        http::with_header(http::content(200, list.form.media_type, ""), "etag", std::move(tag));
    response = http::unless_known(request, std::move(response));
    if (without_rows || response.respond.status == 304) co_return response;
  }
  int64_t rows = asked.limit ? *asked.limit + 1 : kStreamSliceRows;
  int64_t bytes = asked.limit ? std::min(kPageBytes, rows * kOrdinaryRowBytes) : kStreamSliceBytes;
  Slice slice = slice_of(asked.after, rows, bytes);
  if (bytes > kUnreservedPageBytes) {
    uint64_t memory =
        asked.limit ? static_cast<uint64_t>(kPageMemoryPerByte * bytes) : kStreamMemory;
    CO_TRY([[maybe_unused]] Unit held, co_await reserve_memory(in, memory));
  }
  CO_TRY(Opening opening, co_await open(in, list, slice));
  Part part = std::move(opening.part);
  http::Response response = http::content(200, list.form.media_type, "");
  response = http::with_header(std::move(response), "etag", std::move(opening.tag));
  if (!asked.limit) {
    Text text;
    // A part that is whole may have rows that are too large to come with it.
    if (part.whole) append_rows(text, part, list, SIZE_MAX);
    if (!part.whole) {
      co_return co_await stream(in, std::move(list), std::move(text), std::move(part),
                                std::move(response));
    }
    close(text, list.form);
    response.respond.content = std::move(text.bytes);
    co_return response;
  }
  CO_TRY(ShownPage page, co_await read_page(in, list, std::move(part), *asked.limit));
  response.respond.content = std::move(page.text.bytes);
  if (page.more) {
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
