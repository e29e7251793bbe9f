#include "core/flow/parent.h"

#include "core/store/store.h"

namespace sm::flow {
namespace {

// One row that must be there, and what is said where it is not.
struct Wanted {
  Statement statement;
  const char* missing;
};

Wanted wanted_connector(TenantId tenant, Connector connector, int64_t id) {
  return {
      store::connector_by_id(connector, tenant, id),
      connector == Connector::source
          ? "There is no source with this id for this key: GET /sources lists those there are."
          : "There is no target with this id for this key: GET /targets lists those there are."};
}

Wanted wanted_property(TenantId tenant, Connector connector, int64_t parent, int64_t id) {
  return connector == Connector::source
             ? Wanted{store::source_property(tenant, SourceId{parent}, PropertyId{id}),
                      "This source has no property with this id: its list of properties, filtered "
                      "by external_id, tells the id."}
             : Wanted{store::target_property(tenant, TargetId{parent}, PropertyId{id}),
                      "This target has no property with this id: its list of properties, filtered "
                      "by external_id, tells the id."};
}

std::vector<Wanted> wanted_rows(TenantId tenant, Parent parent, const std::vector<int64_t>& ids) {
  std::vector<Wanted> wanted;
  switch (parent) {
    case Parent::none:
    case Parent::tenant:
      break;
    case Parent::any_tenant:
      wanted.push_back({store::tenant_by_id(TenantId{ids[0]}),
                        "There is no tenant with this id: GET /tenants lists those there are."});
      break;
    case Parent::key:
      wanted.push_back({store::key_by_id(tenant, ids[0]),
                        "There is no key with this id: GET /keys lists those there are."});
      break;
    case Parent::source:
      wanted.push_back(wanted_connector(tenant, Connector::source, ids[0]));
      break;
    case Parent::target:
      wanted.push_back(wanted_connector(tenant, Connector::target, ids[0]));
      break;
    case Parent::source_property:
      wanted.push_back(wanted_connector(tenant, Connector::source, ids[0]));
      wanted.push_back(wanted_property(tenant, Connector::source, ids[0], ids[1]));
      break;
    case Parent::target_property:
      wanted.push_back(wanted_connector(tenant, Connector::target, ids[0]));
      wanted.push_back(wanted_property(tenant, Connector::target, ids[0], ids[1]));
      break;
    case Parent::pair:
      wanted.push_back(wanted_connector(tenant, Connector::source, ids[0]));
      wanted.push_back(wanted_connector(tenant, Connector::target, ids[1]));
      break;
  }
  return wanted;
}

}  // namespace

Task<Status> find_parent(Invocation& in, TenantId tenant, Parent parent, std::vector<int64_t> ids) {
  if (parent == Parent::tenant && ids[0] != tenant.value) {
    co_return Error{ErrorCode::not_found, "This key belongs to no tenant with this id."};
  }
  std::vector<Wanted> wanted = wanted_rows(tenant, parent, ids);
  if (wanted.empty()) co_return Unit{};
  std::vector<Statement> statements;
  for (Wanted& row : wanted) statements.push_back(std::move(row.statement));
  CO_TRY(std::vector<store::Rows> found, co_await store::query_all(in, std::move(statements)));
  for (size_t i = 0; i < wanted.size(); ++i) {
    if (found[i].size() == 0) co_return Error{ErrorCode::not_found, wanted[i].missing};
  }
  co_return Unit{};
}

}  // namespace sm::flow
