#include "core/api/handlers.h"
#include "core/api/paging.h"
#include "core/api/rows.h"
#include "core/http/conditional.h"
#include "core/store/store.h"

namespace sm::api {
namespace {

template <typename Id>
std::optional<Id> id_of(const Arguments& arguments, std::string_view name) {
  auto id = arguments.integer(name);
  return id ? std::optional<Id>(Id{*id}) : std::nullopt;
}

Statement logs_page(const flow::ListKey& key, flow::Slice slice) {
  const flow::LogFilters& only = key.logs;
  return store::logs_page(key.tenant, only.source, only.target, only.status, only.type, slice.after,
                          slice.rows);
}

std::optional<std::vector<int64_t>> state_numbers(const flow::ListKey&, store::Rows& rows) {
  auto state = store::only<store::LogsStateRow>(rows);
  return std::vector<int64_t>{state.first.value_or(0), state.last.value_or(0), state.running,
                              state.counted};
}

}  // namespace

ResponseTask list_logs(Invocation& in, Call call) {
  CO_TRY(flow::PageRequest page, read_page_request(in, call));
  flow::ListKey key{call.tenant};
  key.logs = {id_of<SourceId>(call.arguments, "source_id"),
              id_of<TargetId>(call.arguments, "target_id"), call.arguments.text("status"),
              call.arguments.text("sync_type")};
  flow::List list{
      std::move(key), [](const flow::ListKey& of) { return store::logs_state(of.tenant); },
      state_numbers,  list_tag_kind(call, "logs"),
      logs_page,      append_next<store::LogsPageRow, append_log>};
  co_return co_await flow::answer_list(in, std::move(call.request), std::move(list), page);
}

}  // namespace sm::api
