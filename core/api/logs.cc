#include "core/api/handlers.h"
#include "core/api/paging.h"
#include "core/api/rows.h"
#include "core/http/conditional.h"
#include "core/store/store.h"

namespace sm::api {
namespace {

constexpr int64_t kMaxId = 999'999'999'999'999;

std::optional<std::string> text_of(const Parameters& parameters, std::string_view name) {
  auto found = parameters.find(name);
  if (found == parameters.end()) return std::nullopt;
  return found->second;
}

Result<std::optional<int64_t>> id_of(const Parameters& parameters, std::string_view name) {
  auto text = text_of(parameters, name);
  if (!text) return std::optional<int64_t>();
  TRY(int64_t id, read_integer(name, *text, 1, kMaxId));
  return std::optional<int64_t>(id);
}

Statement logs_page(const flow::ListKey& key, int64_t after, int64_t count) {
  std::optional<SourceId> source;
  if (key.source_filter) source = SourceId{*key.source_filter};
  std::optional<TargetId> target;
  if (key.target_filter) target = TargetId{*key.target_filter};
  return store::logs_page(key.tenant, source, target, key.status_filter, key.type_filter, after,
                          count);
}

}  // namespace

Answered list_logs(Invocation& in, Call call) {
  CO_TRY(Parameters parameters, read_parameters(call));
  CO_TRY(flow::PageRequest page, read_page_request(in, call, parameters));
  flow::ListKey key{call.tenant};
  CO_TRY(key.source_filter, id_of(parameters, "source_id"));
  CO_TRY(key.target_filter, id_of(parameters, "target_id"));
  key.status_filter = text_of(parameters, "status");
  key.type_filter = text_of(parameters, "sync_type");
  CO_TRY(store::Rows state, co_await store::query(in, store::logs_state(call.tenant)));
  SM_CHECK(state.next());
  // Filters are part of the address that a client remembers the tag for, so the tag can do without
  // them.
  flow::List list{std::move(key), logs_page, append_log,
                  http::entity_tag("logs", {page.after, page.limit.value_or(0), state.integer(0),
                                            state.integer(1)})};
  co_return co_await flow::answer_list(in, std::move(call.request), std::move(list), page);
}

}  // namespace sm::api
