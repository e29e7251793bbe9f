#include "core/flow/configure.h"
#include "core/flow/deletion.h"

#include "core/api/handlers.h"
#include "core/api/paging.h"
#include "core/api/rows.h"
#include "core/http/conditional.h"
#include "core/json/writer.h"
#include "core/store/store.h"

namespace sm::api {
namespace {

std::string_view tag_kind(Connector connector) {
  return connector == Connector::source ? "source" : "target";
}

std::string tag_of(const Call& call, const flow::ConnectorRow& row) {
  return http::entity_tag(tag_kind(call.route->connector()), call.tenant, {row.id, row.revision});
}

http::Response with_row(int status, const Call& call, const flow::ConnectorRow& row) {
  std::string json;
  append_connector(json, row);
  return http::with_header(http::json(status, std::move(json)), "etag", tag_of(call, row));
}

std::optional<std::vector<int64_t>> state_numbers(const flow::ListKey&, store::Rows& rows) {
  auto state = store::only<store::ConnectorsStateRow>(rows);
  return std::vector<int64_t>{state.count, state.last, state.revisions};
}

}  // namespace

ResponseTask list_connectors(Invocation& in, Call call) {
  CO_TRY(flow::PageRequest page, read_page_request(in, call));
  Connector connector = call.route->connector();
  flow::List list{
      {call.tenant, connector},
      [](const flow::ListKey& key) { return store::connectors_state(key.connector, key.tenant); },
      state_numbers,
      list_tag_kind(call, tag_kind(connector)),
      [](const flow::ListKey& key, flow::Slice slice) {
        return store::connectors_page(key.connector, key.tenant, slice.after, slice.rows,
                                      slice.largest);
      },
      append_next_large<store::ConnectorsPageRow, append_listed_connector>};
  co_return co_await flow::answer_list(in, std::move(call.request), std::move(list), page);
}

ResponseTask create_connector(Invocation& in, Call call) {
  Connector connector = call.route->connector();
  flow::NewConnector given{call.tenant, connector, call.members.text("name"),
                           call.members.text("type"), call.members.json("config").value_or("{}")};
  CO_TRY(flow::ConnectorRow row, co_await flow::create_connector(in, std::move(given)));
  co_return http::with_header(with_row(201, call, row), "location",
                              std::string(call.route->path) + "/" + std::to_string(row.id));
}

ResponseTask show_connector(Invocation& in, Call call) {
  Connector connector = call.route->connector();
  CO_TRY(flow::ConnectorRow row,
         co_await flow::find_connector(in, call.tenant, connector, call.ids[0]));
  http::Response response = with_row(200, call, row);
  co_return http::unless_known(call.request, std::move(response));
}

ResponseTask change_connector(Invocation& in, Call call) {
  Connector connector = call.route->connector();
  CO_TRY(flow::ConnectorRow row,
         co_await flow::find_connector(in, call.tenant, connector, call.ids[0]));
  // What does not fit goes before If-Match. What depends on the row follows with the change.
  if (auto patch = call.members.json("config")) {
    CO_TRY([[maybe_unused]] Unit fits, flow::check_config_patch(in, connector, *patch));
  }
  if (!http::may_change(call.request, tag_of(call, row))) co_return precondition_failed();
  auto lost_race =
      call.request.header("if-match") ? flow::LostRace::give_up : flow::LostRace::try_again;
  flow::ConnectorChange change{call.tenant, connector, std::nullopt, call.members.json("config"),
                               lost_race};
  if (call.members.json("name")) change.name = call.members.text("name");
  CO_TRY(flow::ConnectorRow changed,
         co_await flow::change_connector(in, std::move(row), std::move(change)));
  co_return with_row(200, call, changed);
}

ResponseTask delete_connector(Invocation& in, Call call) {
  Connector connector = call.route->connector();
  CO_TRY(flow::ConnectorRow row,
         co_await flow::find_connector(in, call.tenant, connector, call.ids[0]));
  CO_TRY(flow::DeletedConnector deleted,
         co_await flow::delete_connector(in, call.tenant, connector, std::move(row)));
  http::Response response = http::json(200, json::object([&](json::ObjectWriter& answer) {
                                         answer.text("status", "deleted");
                                         json::ObjectWriter(answer.key("deleted"))
                                             .integer("properties", deleted.properties)
                                             .integer("snapshots", deleted.snapshots)
                                             .end();
                                       }));
  response.afterwards = flow::clear_away_behind(in, {call.tenant, connector, call.ids[0]});
  co_return response;
}

}  // namespace sm::api
