#include "core/flow/sides.h"

#include "core/api/handlers.h"
#include "core/api/paging.h"
#include "core/api/rows.h"
#include "core/http/conditional.h"
#include "core/json/writer.h"
#include "core/store/store.h"

namespace sm::api {
namespace {

std::string_view tag_kind(Side side) { return side == Side::source ? "source" : "target"; }

std::string tag_of(Side side, const flow::SideRow& row) {
  return http::entity_tag(tag_kind(side), {row.id, row.revision});
}

http::Response with_row(int status, Side side, const flow::SideRow& row) {
  std::string json;
  append_side(json, row);
  return http::with_header(http::json(status, std::move(json)), "etag", tag_of(side, row));
}

std::optional<std::vector<int64_t>> state_numbers(const flow::ListKey&, store::Rows& rows) {
  auto state = store::only<store::SidesStateRow>(rows);
  return std::vector<int64_t>{state.count, state.last, state.revisions};
}

}  // namespace

Answered list_sides(Invocation& in, Call call) {
  CO_TRY(flow::PageRequest page, read_page_request(in, call));
  Side side = call.route->side();
  flow::List list{{call.tenant, side},
                  [](const flow::ListKey& key) { return store::sides_state(key.side, key.tenant); },
                  state_numbers,
                  list_tag_kind(call, tag_kind(side)),
                  [](const flow::ListKey& key, flow::Slice slice) {
                    return store::sides_page(key.side, key.tenant, slice.after, slice.rows,
                                             slice.largest);
                  },
                  append_next_large<store::SidesPageRow, append_listed_side>};
  co_return co_await flow::answer_list(in, std::move(call.request), std::move(list), page);
}

Answered create_side(Invocation& in, Call call) {
  Side side = call.route->side();
  flow::NewSide given{call.tenant, side, call.members.text("name"), call.members.text("type"),
                      call.members.json("config").value_or("{}")};
  CO_TRY(flow::SideRow row, co_await flow::create_side(in, std::move(given)));
  co_return http::with_header(with_row(201, side, row), "location",
                              std::string(call.route->path) + "/" + std::to_string(row.id));
}

Answered show_side(Invocation& in, Call call) {
  Side side = call.route->side();
  CO_TRY(flow::SideRow row, co_await flow::find_side(in, call.tenant, side, call.ids[0]));
  http::Response response = with_row(200, side, row);
  co_return http::unless_known(call.request, std::move(response));
}

Answered change_side(Invocation& in, Call call) {
  Side side = call.route->side();
  CO_TRY(flow::SideRow row, co_await flow::find_side(in, call.tenant, side, call.ids[0]));
  // What does not fit goes before If-Match. What depends on the row follows with the change.
  if (auto patch = call.members.json("config")) {
    CO_TRY([[maybe_unused]] Unit fits, flow::check_config_patch(in, side, *patch));
  }
  if (!http::may_change(call.request, tag_of(side, row))) co_return precondition_failed();
  auto lost_race =
      call.request.header("if-match") ? flow::LostRace::give_up : flow::LostRace::try_again;
  flow::SideChange change{call.tenant, side, std::nullopt, call.members.json("config"), lost_race};
  if (call.members.json("name")) change.name = call.members.text("name");
  CO_TRY(flow::SideRow changed, co_await flow::change_side(in, std::move(row), std::move(change)));
  co_return with_row(200, side, changed);
}

Answered delete_side(Invocation& in, Call call) {
  Side side = call.route->side();
  CO_TRY(flow::SideRow row, co_await flow::find_side(in, call.tenant, side, call.ids[0]));
  CO_TRY(flow::DeletedSide deleted,
         co_await flow::delete_side(in, call.tenant, side, std::move(row)));
  co_return http::json(200, json::object([&](json::ObjectWriter& answer) {
                         answer.text("status", "deleted");
                         json::ObjectWriter(answer.key("deleted"))
                             .integer("properties", deleted.properties)
                             .integer("snapshots", deleted.snapshots)
                             .end();
                       }));
}

}  // namespace sm::api
