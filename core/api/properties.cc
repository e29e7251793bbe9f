#include "core/api/handlers.h"
#include "core/api/paging.h"
#include "core/api/rows.h"
#include "core/base/encoding.h"
#include "core/flow/edit.h"
#include "core/flow/sides.h"
#include "core/http/conditional.h"
#include "core/store/store.h"

namespace sm::api {
namespace {

Statement property_page(const flow::ListKey& key, int64_t after, int64_t count) {
  return key.side == Side::source
             ? store::source_property_rows(key.tenant, SourceId{key.parent}, after, count)
             : store::target_property_rows(key.tenant, TargetId{key.parent}, after, count);
}

Statement property_by_id(Side side, TenantId tenant, int64_t parent, int64_t id) {
  return side == Side::source ? store::source_property(tenant, SourceId{parent}, PropertyId{id})
                              : store::target_property(tenant, TargetId{parent}, PropertyId{id});
}

auto row_writer(Side side) {
  return side == Side::source ? append_source_property : append_target_property;
}

// A row as it is shown, and what it takes to name its state.
struct Shown {
  std::string json;
  std::string tag;
  int64_t revision;

  http::Response response() && {
    return http::with_header(http::json(200, std::move(json)), "etag", std::move(tag));
  }
};

Shown show(Side side, const store::Rows& row) {
  Shown shown{{}, {}, property_revision(side, row)};
  row_writer(side)(shown.json, row);
  int64_t id = row.integer(0);
  // The names of two sources in a warning change without the row: the sum of the whole text covers
  // them.
  shown.tag =
      side == Side::source
          ? http::entity_tag("sp", {id, shown.revision})
          : http::entity_tag("tp", {id, shown.revision, static_cast<int64_t>(crc32(shown.json))});
  return shown;
}

Task<Result<Shown>> read_property(Invocation& in, Side side, TenantId tenant, int64_t parent,
                                  int64_t id) {
  CO_TRY(store::Rows row, co_await store::query(in, property_by_id(side, tenant, parent, id)));
  if (!row.next()) co_return not_found();
  co_return show(side, row);
}

}  // namespace

Answered list_properties(Invocation& in, Call call) {
  Side side = call.route->side;
  CO_TRY(flow::SideRow parent, co_await flow::find_side(in, call.tenant, side, call.ids[0]));
  CO_TRY(Parameters parameters, read_parameters(call));
  CO_TRY(flow::PageRequest page, read_page_request(in, call, parameters));
  flow::List list{
      {call.tenant, side, parent.id},
      property_page,
      row_writer(side),
      http::entity_tag(side == Side::source ? "sps" : "tps",
                       {parent.id, parent.revision, page.after, page.limit.value_or(0)})};
  co_return co_await flow::answer_list(in, std::move(call.request), std::move(list), page);
}

Answered show_property(Invocation& in, Call call) {
  CO_TRY(Shown shown,
         co_await read_property(in, call.route->side, call.tenant, call.ids[0], call.ids[1]));
  CO_TRY([[maybe_unused]] Parameters none, read_parameters(call));
  co_return http::unless_known(call.request, std::move(shown).response());
}

Answered edit_property(Invocation& in, Call call) {
  Result<Parameters> parameters = read_parameters(call);
  Result<Members> members = read_members(in, call);
  bool fits = parameters.ok() && members.ok();
  flow::Edit edit{call.tenant, TargetId{call.ids[0]}, PropertyId{call.ids[1]}, {}, {}};
  if (!fits || call.request.header("if-match")) {
    // A row that does not exist goes before a query or a body that does not fit.
    CO_TRY(Shown shown,
           co_await read_property(in, Side::target, call.tenant, call.ids[0], call.ids[1]));
    if (!parameters.ok()) co_return parameters.error();
    if (!members.ok()) co_return members.error();
    if (!http::may_change(call.request, shown.tag)) co_return precondition_failed();
    edit.only_revision = shown.revision;
  }
  edit.patch = *members.value().json("data");
  CO_TRY(store::Rows edited, co_await flow::edit_property(in, std::move(edit)));
  co_return show(Side::target, edited).response();
}

Answered list_snapshots(Invocation& in, Call call) {
  Side side = call.route->side;
  CO_TRY(store::Rows state,
         co_await store::query(
             in, store::snapshots_state(side, call.tenant, call.ids[0], PropertyId{call.ids[1]})));
  if (!state.next()) co_return not_found();
  CO_TRY(Parameters parameters, read_parameters(call));
  CO_TRY(flow::PageRequest page, read_page_request(in, call, parameters));
  flow::List list{
      {call.tenant, side, call.ids[0], call.ids[1]},
      [](const flow::ListKey& key, int64_t after, int64_t count) {
        return store::snapshots_page(key.side, key.tenant, PropertyId{key.row}, after, count);
      },
      append_snapshot,
      http::entity_tag(
          side == Side::source ? "sss" : "tss",
          {call.ids[1], state.integer(0), state.integer(1), page.after, page.limit.value_or(0)})};
  co_return co_await flow::answer_list(in, std::move(call.request), std::move(list), page);
}

}  // namespace sm::api
