#include "core/api/handlers.h"
#include "core/api/paging.h"
#include "core/api/rows.h"
#include "core/base/encoding.h"
#include "core/flow/edit.h"
#include "core/flow/remove.h"
#include "core/flow/sides.h"
#include "core/http/conditional.h"
#include "core/store/store.h"

namespace sm::api {
namespace {

Statement property_page(const flow::ListKey& key, flow::Slice slice) {
  const flow::PropertyFilters& only = key.properties;
  if (key.side == Side::source) {
    SourceId source{key.parent};
    return only.external_id
               ? store::source_property_named(key.tenant, source, *only.external_id, only.flag,
                                              only.updated_since, slice.after)
               : store::source_property_rows(key.tenant, source, only.flag, only.updated_since,
                                             slice.after, slice.rows, slice.bytes);
  }
  TargetId target{key.parent};
  return only.external_id
             ? store::target_property_named(key.tenant, target, *only.external_id, only.flag,
                                            only.updated_since, slice.after)
             : store::target_property_rows(key.tenant, target, only.flag, only.updated_since,
                                           slice.after, slice.rows, slice.bytes);
}

Result<std::optional<int64_t>> read_flag(const Parameters& parameters, std::string_view name) {
  auto given = parameters.find(name);
  if (given == parameters.end()) return std::optional<int64_t>();
  TRY(bool flag, read_boolean(name, given->second));
  return std::optional<int64_t>(flag ? 1 : 0);
}

Result<flow::PropertyFilters> read_filters(Side side, const Parameters& parameters) {
  flow::PropertyFilters filters;
  if (auto given = parameters.find("external_id"); given != parameters.end()) {
    filters.external_id = given->second;
  }
  TRY(auto edited, read_flag(parameters, "has_manual_changes"));
  if (side == Side::source && edited) {
    return invalid_parameter("has_manual_changes", "is a filter of targets, not of sources");
  }
  TRY(auto removed, read_flag(parameters, "removed"));
  filters.flag = side == Side::source ? removed : edited;
  if (auto given = parameters.find("updated_since"); given != parameters.end()) {
    auto since = parse_time(given->second);
    if (!since) {
      return invalid_parameter("updated_since",
                               "must be an RFC 3339 time such as 2026-01-15T10:30:00Z");
    }
    filters.updated_since = to_text(*since);
  }
  return filters;
}

Statement property_by_id(Side side, TenantId tenant, int64_t parent, int64_t id) {
  return side == Side::source ? store::source_property(tenant, SourceId{parent}, PropertyId{id})
                              : store::target_property(tenant, TargetId{parent}, PropertyId{id});
}

auto next_writer(Side side) {
  return side == Side::source ? append_next<store::SourcePropertyRow, append_source_property>
                              : append_next<store::TargetPropertyRow, append_target_property>;
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

Shown show(const store::SourcePropertyRow& row) {
  Shown shown{{}, http::entity_tag("sp", {row.id, row.revision}), row.revision};
  append_source_property(shown.json, row);
  return shown;
}

Shown show(const store::TargetPropertyRow& row) {
  Shown shown{{}, {}, row.revision};
  append_target_property(shown.json, row);
  // The names of two sources in a warning change without the row: the sum of the whole text covers
  // them.
  auto sum = static_cast<int64_t>(crc32(shown.json));
  shown.tag = http::entity_tag("tp", {row.id, row.revision, sum});
  return shown;
}

template <typename Row>
Result<Shown> show_found(store::Rows rows) {
  Row row;
  if (!rows.next(row)) return not_found();
  return show(row);
}

Task<Result<Shown>> read_property(Invocation& in, Side side, TenantId tenant, int64_t parent,
                                  int64_t id) {
  CO_TRY(store::Rows rows, co_await store::query(in, property_by_id(side, tenant, parent, id)));
  co_return side == Side::source ? show_found<store::SourcePropertyRow>(std::move(rows))
                                 : show_found<store::TargetPropertyRow>(std::move(rows));
}

}  // namespace

Answered list_properties(Invocation& in, Call call) {
  Side side = call.route->side;
  CO_TRY(flow::SideRow parent, co_await flow::find_side(in, call.tenant, side, call.ids[0]));
  CO_TRY(Parameters parameters, read_parameters(call));
  CO_TRY(flow::PageRequest page, read_page_request(in, call, parameters));
  flow::ListKey key{call.tenant, side, parent.id};
  CO_TRY(key.properties, read_filters(side, parameters));
  flow::List list{
      std::move(key), property_page, next_writer(side),
      list_tag(call, side == Side::source ? "sps" : "tps", {parent.id, parent.revision})};
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
  CO_TRY(auto edited, co_await flow::edit_property(in, std::move(edit)));
  co_return show(*edited).response();
}

Answered remove_property(Invocation& in, Call call) {
  Result<Parameters> none = read_parameters(call);
  Status empty = read_nothing(in, call);
  SourceId source{call.ids[0]};
  if (!none.ok() || !empty.ok()) {
    CO_TRY([[maybe_unused]] Shown shown,
           co_await read_property(in, Side::source, call.tenant, source.value, call.ids[1]));
    co_return none.ok() ? empty.error() : none.error();
  }
  CO_TRY(auto removed,
         co_await flow::remove_property(in, call.tenant, source, PropertyId{call.ids[1]}));
  co_return show(*removed).response();
}

Answered list_snapshots(Invocation& in, Call call) {
  Side side = call.route->side;
  CO_TRY(store::Rows rows,
         co_await store::query(
             in, store::snapshots_state(side, call.tenant, call.ids[0], PropertyId{call.ids[1]})));
  store::SnapshotsStateRow state;
  if (!rows.next(state)) co_return not_found();
  CO_TRY(Parameters parameters, read_parameters(call));
  CO_TRY(flow::PageRequest page, read_page_request(in, call, parameters));
  flow::List list{
      {call.tenant, side, call.ids[0], call.ids[1]},
      [](const flow::ListKey& key, flow::Slice slice) {
        return store::snapshots_page(key.side, key.tenant, PropertyId{key.row}, slice.after,
                                     slice.rows, slice.bytes);
      },
      append_next<store::SnapshotsPageRow, append_snapshot>,
      list_tag(call, side == Side::source ? "sss" : "tss", {call.ids[1], state.count, state.last})};
  co_return co_await flow::answer_list(in, std::move(call.request), std::move(list), page);
}

}  // namespace sm::api
