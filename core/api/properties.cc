#include "core/api/handlers.h"
#include "core/api/paging.h"
#include "core/api/rows.h"
#include "core/base/encoding.h"
#include "core/base/limits.h"
#include "core/flow/configure.h"
#include "core/flow/edit.h"
#include "core/flow/property.h"
#include "core/flow/remove.h"
#include "core/http/conditional.h"
#include "core/store/store.h"

namespace sm::api {
namespace {

// A boolean as the store has it.
std::optional<int64_t> flag(std::optional<bool> given) {
  return given ? std::optional<int64_t>(*given ? 1 : 0) : std::nullopt;
}

// Whether few rows may fit, which are found without the others. Each slice of a stream finds them
// anew, so one that has given so many rows is read as if nothing was filtered.
bool may_be_few(const flow::PropertyFilters& only, flow::Slice slice) {
  return (only.updated_since || only.owner) && slice.given < kFewRows;
}

Statement source_page(const flow::ListKey& key, flow::Slice slice) {
  const flow::PropertyFilters& only = key.properties;
  SourceId source{key.parent};
  auto removed = flag(only.removed);
  if (only.external_id) {
    return store::source_property_named(key.tenant, source, *only.external_id, removed,
                                        only.updated_since, slice.after, slice.largest);
  }
  if (only.removed == true) {
    return store::source_property_removed_rows(key.tenant, source, removed, only.updated_since,
                                               slice.after, slice.rows, slice.largest);
  }
  return may_be_few(only, slice)
             ? store::source_property_few_rows(key.tenant, source, removed, *only.updated_since,
                                               *only.surely_before, kFewRows, kFewOf, slice.after,
                                               slice.rows, slice.largest)
             : store::source_property_rows(key.tenant, source, removed, only.updated_since,
                                           slice.after, slice.rows, slice.largest);
}

// The filter that leaves the fewest rows names the statement, which reads that filter's index.
Statement target_page(const flow::ListKey& key, flow::Slice slice) {
  const flow::PropertyFilters& only = key.properties;
  TargetId target{key.parent};
  auto edited = flag(only.has_manual_changes);
  auto removed = flag(only.removed);
  if (only.external_id) {
    return store::target_property_named(key.tenant, target, *only.external_id, edited, removed,
                                        only.sync_status, only.owner, only.updated_since,
                                        slice.after, slice.largest);
  }
  std::optional<std::string> status = only.removed == true ? "removed" : only.sync_status;
  if (status && *status != "synced") {
    return store::target_property_status_rows(key.tenant, target, *status, edited, removed,
                                              only.sync_status, only.owner, only.updated_since,
                                              slice.after, slice.rows, slice.largest);
  }
  if (only.has_manual_changes == true) {
    return store::target_property_edited_rows(key.tenant, target, edited, removed, only.sync_status,
                                              only.owner, only.updated_since, slice.after,
                                              slice.rows, slice.largest);
  }
  return may_be_few(only, slice)
             ? store::target_property_few_rows(key.tenant, target, edited, removed,
                                               only.sync_status, only.owner, only.updated_since,
                                               only.surely_before, kFewRows, kFewOf, slice.after,
                                               slice.rows, slice.largest)
             : store::target_property_rows(key.tenant, target, edited, removed, only.sync_status,
                                           only.owner, only.updated_since, slice.after, slice.rows,
                                           slice.largest);
}

flow::PropertyFilters read_filters(Connector connector, const Arguments& given) {
  flow::PropertyFilters filters;
  filters.external_id = given.text("external_id");
  filters.removed = given.boolean("removed");
  if (auto since = given.time("updated_since")) {
    filters.updated_since = to_text(*since);
    filters.surely_before = to_text(*since - kClockSkewMs);
  }
  if (connector == Connector::source) return filters;
  filters.has_manual_changes = given.boolean("has_manual_changes");
  filters.sync_status = given.text("sync_status");
  if (auto owner = given.integer("source_id")) filters.owner = SourceId{*owner};
  return filters;
}

auto next_writer(Connector connector) {
  return connector == Connector::source
             ? append_next_large<store::ListedSourcePropertyRow, append_listed_source_property>
             : append_next_large<store::ListedTargetPropertyRow, append_listed_target_property>;
}

std::optional<std::vector<int64_t>> parent_numbers(const flow::ListKey& key, store::Rows& rows) {
  store::ConnectorRow parent;
  if (!rows.next(parent)) return std::nullopt;
  return std::vector<int64_t>{key.parent, parent.revision};
}

Statement snapshots_of(const flow::ListKey& key) {
  return store::snapshots_state(key.connector, key.tenant, key.parent, PropertyId{key.row});
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

Shown show(TenantId tenant, const store::SourcePropertyRow& row) {
  Shown shown{{}, http::entity_tag("sp", tenant, {row.id, row.revision})};
  append_source_property(shown.json, row);
  return shown;
}

Shown show(TenantId tenant, const store::TargetPropertyRow& row) {
  Shown shown;
  append_target_property(shown.json, row);
  // The names of two sources in a warning change without the row: the sum of the whole text covers
  // them.
  auto sum = static_cast<int64_t>(crc32(shown.json));
  shown.tag = http::entity_tag("tp", tenant, {row.id, row.revision, sum});
  return shown;
}

template <typename Row>
Result<Shown> show_found(TenantId tenant, store::Rows rows) {
  Row row;
  if (!rows.next(row)) return not_found();
  return show(tenant, row);
}

Task<Result<Shown>> read_property(Invocation& in, Connector connector, TenantId tenant,
                                  int64_t parent, int64_t id) {
  CO_TRY(store::Rows rows,
         co_await flow::find_property(in, tenant, connector, parent, PropertyId{id}));
  co_return connector == Connector::source
      ? show_found<store::SourcePropertyRow>(tenant, std::move(rows))
      : show_found<store::TargetPropertyRow>(tenant, std::move(rows));
}

}  // namespace

ResponseTask list_properties(Invocation& in, Call call) {
  Connector connector = call.route->connector();
  CO_TRY(flow::PageRequest page, read_page_request(in, call));
  flow::ListKey key{call.tenant, connector, call.ids[0]};
  key.properties = read_filters(connector, call.arguments);
  flow::List list{std::move(key),
                  [](const flow::ListKey& of) {
                    return store::connector_by_id(of.connector, of.tenant, of.parent);
                  },
                  parent_numbers,
                  list_tag_kind(call, connector == Connector::source ? "sps" : "tps"),
                  connector == Connector::source ? source_page : target_page,
                  next_writer(connector)};
  co_return co_await flow::answer_list(in, std::move(call.request), std::move(list), page);
}

ResponseTask show_property(Invocation& in, Call call) {
  CO_TRY(Shown shown, co_await read_property(in, call.route->connector(), call.tenant, call.ids[0],
                                             call.ids[1]));
  co_return http::unless_known(call.request, std::move(shown).response());
}

ResponseTask edit_property(Invocation& in, Call call) {
  flow::Edit edit{
      call.tenant,
      TargetId{call.ids[0]},
      PropertyId{call.ids[1]},
      std::string(*call.members.json("data")),
      std::move(call.request),
      [](TenantId tenant, const store::TargetPropertyRow& row) { return show(tenant, row).tag; }};
  CO_TRY(auto edited, co_await flow::edit_property(in, std::move(edit)));
  co_return show(call.tenant, *edited).response();
}

ResponseTask remove_property(Invocation& in, Call call) {
  CO_TRY(auto removed, co_await flow::remove_property(in, call.tenant, SourceId{call.ids[0]},
                                                      PropertyId{call.ids[1]}));
  co_return show(call.tenant, *removed).response();
}

ResponseTask list_snapshots(Invocation& in, Call call) {
  Connector connector = call.route->connector();
  CO_TRY(flow::PageRequest page, read_page_request(in, call));
  flow::List list{{call.tenant, connector, call.ids[0], call.ids[1]},
                  snapshots_of,
                  snapshot_numbers,
                  list_tag_kind(call, connector == Connector::source ? "sss" : "tss"),
                  [](const flow::ListKey& of, flow::Slice slice) {
                    return store::snapshots_page(of.connector, of.tenant, of.parent,
                                                 PropertyId{of.row}, slice.after, slice.rows,
                                                 slice.largest);
                  },
                  append_next_large<store::SnapshotsPageRow, append_snapshot>};
  co_return co_await flow::answer_list(in, std::move(call.request), std::move(list), page);
}

}  // namespace sm::api
