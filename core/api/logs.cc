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

template <typename Id>
Result<std::optional<Id>> id_of(const Parameters& parameters, std::string_view name) {
  auto text = text_of(parameters, name);
  if (!text) return std::optional<Id>();
  TRY(int64_t id, read_integer(name, *text, 1, kMaxId));
  return std::optional<Id>(Id{id});
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

Answered list_logs(Invocation& in, Call call) {
  CO_TRY(Parameters parameters, read_parameters(call));
  CO_TRY(flow::PageRequest page, read_page_request(in, call, parameters));
  flow::ListKey key{call.tenant};
  CO_TRY(key.logs.source, id_of<SourceId>(parameters, "source_id"));
  CO_TRY(key.logs.target, id_of<TargetId>(parameters, "target_id"));
  key.logs.status = text_of(parameters, "status");
  key.logs.type = text_of(parameters, "sync_type");
  flow::List list{
      std::move(key), [](const flow::ListKey& of) { return store::logs_state(of.tenant); },
      state_numbers,  list_tag_kind(call, "logs"),
      logs_page,      append_next<store::LogsPageRow, append_log>};
  co_return co_await flow::answer_list(in, std::move(call.request), std::move(list), page);
}

}  // namespace sm::api
