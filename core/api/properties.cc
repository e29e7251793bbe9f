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
                                              only.updated_since, slice.after, slice.largest)
               : store::source_property_rows(key.tenant, source, only.flag, only.updated_since,
                                             slice.after, slice.rows, slice.largest);
  }
  TargetId target{key.parent};
  return only.external_id
             ? store::target_property_named(key.tenant, target, *only.external_id, only.flag,
                                            only.updated_since, slice.after, slice.largest)
             : store::target_property_rows(key.tenant, target, only.flag, only.updated_since,
                                           slice.after, slice.rows, slice.largest);
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
  return side == Side::source
             ? append_next_large<store::ListedSourcePropertyRow, append_listed_source_property>
             : append_next_large<store::ListedTargetPropertyRow, append_listed_target_property>;
}

struct AskedProperties {
  flow::PageRequest page;
  flow::PropertyFilters filters;
};

Result<AskedProperties> read_asked(Invocation& in, const Call& call) {
  TRY(Parameters parameters, read_parameters(call));
  AskedProperties asked;
  TRY(asked.page, read_page_request(in, call, parameters));
  TRY(asked.filters, read_filters(call.route->side, parameters));
  return asked;
}

std::optional<std::vector<int64_t>> parent_numbers(const flow::ListKey& key, store::Rows& rows) {
  store::SideRow parent;
  if (!rows.next(parent)) return std::nullopt;
  return std::vector<int64_t>{key.parent, parent.revision};
}

Statement snapshots_of(const flow::ListKey& key) {
  return store::snapshots_state(key.side, key.tenant, key.parent, PropertyId{key.row});
}

std::optional<std::vector<int64_t>> snapshot_numbers(const flow::ListKey& key, store::Rows& rows) {
  store::SnapshotsStateRow state;
  if (!rows.next(state)) return std::nullopt;
  return std::vector<int64_t>{key.row, state.count, state.last};
}

// A row as it is shown, and the name of its state.
struct Shown {
  std::string json;
  std::string tag;

  http::Response response() && {
    return http::with_header(http::json(200, std::move(json)), "etag", std::move(tag));
  }
};

Shown show(const store::SourcePropertyRow& row) {
  Shown shown{{}, http::entity_tag("sp", {row.id, row.revision})};
  append_source_property(shown.json, row);
  return shown;
}

Shown show(const store::TargetPropertyRow& row) {
  Shown shown;
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
  Result<AskedProperties> asked = read_asked(in, call);
  if (!asked.ok()) {
    // An id that does not exist goes before a query that does not fit.
    CO_TRY([[maybe_unused]] flow::SideRow parent,
           co_await flow::find_side(in, call.tenant, side, call.ids[0]));
    co_return asked.error();
  }
  flow::ListKey key{call.tenant, side, call.ids[0]};
  key.properties = std::move(asked.value().filters);
  flow::List list{
      std::move(key),
      [](const flow::ListKey& of) { return store::side_by_id(of.side, of.tenant, of.parent); },
      parent_numbers,
      list_tag_kind(call, side == Side::source ? "sps" : "tps"),
      property_page,
      next_writer(side)};
  co_return co_await flow::answer_list(in, std::move(call.request), std::move(list),
                                       asked.value().page);
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
  if (!parameters.ok() || !members.ok()) {
    // A row that does not exist goes before a query or a body that does not fit.
    CO_TRY([[maybe_unused]] Shown shown,
           co_await read_property(in, Side::target, call.tenant, call.ids[0], call.ids[1]));
    co_return parameters.ok() ? members.error() : parameters.error();
  }
  flow::Edit edit{call.tenant,
                  TargetId{call.ids[0]},
                  PropertyId{call.ids[1]},
                  std::string(*members.value().json("data")),
                  std::move(call.request),
                  [](const store::TargetPropertyRow& row) { return show(row).tag; }};
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
  flow::ListKey key{call.tenant, side, call.ids[0], call.ids[1]};
  Result<Parameters> parameters = read_parameters(call);
  Result<flow::PageRequest> page = parameters.ok() ? read_page_request(in, call, parameters.value())
                                                   : Result<flow::PageRequest>(parameters.error());
  if (!page.ok()) {
    CO_TRY(store::Rows state, co_await store::query(in, snapshots_of(key)));
    co_return state.size() > 0 ? page.error() : not_found();
  }
  flow::List list{std::move(key),
                  snapshots_of,
                  snapshot_numbers,
                  list_tag_kind(call, side == Side::source ? "sss" : "tss"),
                  [](const flow::ListKey& of, flow::Slice slice) {
                    return store::snapshots_page(of.side, of.tenant, PropertyId{of.row},
                                                 slice.after, slice.rows, slice.largest);
                  },
                  append_next_large<store::SnapshotsPageRow, append_snapshot>};
  co_return co_await flow::answer_list(in, std::move(call.request), std::move(list), page.value());
}

}  // namespace sm::api
