#include "core/flow/remove.h"

#include "core/flow/commit.h"
#include "core/flow/log.h"
#include "core/store/store.h"

namespace sm::flow {
namespace {

using Shown = store::Held<store::SourcePropertyRow>;

struct Found {
  int64_t source_revision;
  Shown row;
};

Task<Result<Found>> read(Invocation& in, TenantId tenant, SourceId source, PropertyId property) {
  std::vector<Statement> statements;
  statements.push_back(store::connector_by_id(Connector::source, tenant, source.value));
  statements.push_back(store::source_property(tenant, source, property));
  CO_TRY(std::vector<store::Rows> rows, co_await store::query_all(in, std::move(statements)));
  store::ConnectorRow found;
  Shown row(std::move(rows[1]));
  if (!rows[0].next(found) || !row) co_return not_found();
  co_return Found{found.revision, std::move(row)};
}

Task<Result<Shown>> attempt(Invocation& in, TenantId tenant, SourceId source, PropertyId property,
                            const Operation& operation) {
  CO_TRY(Found found, co_await read(in, tenant, source, property));
  if (found.row->removed_at) co_return std::move(found.row);
  std::string now = to_text(in.now());
  std::vector<Statement> batch;
  batch.push_back(
      store::guard_connector(Connector::source, tenant, source.value, found.source_revision));
  batch.push_back(log_row(operation, {.total = 1, .updated = 1}, in.now()));
  batch.push_back(store::source_bumped(tenant, source, -1));
  batch.push_back(store::property_removed(tenant, source, property, now));
  batch.push_back(store::source_property(tenant, source, property));
  CO_TRY(Committed committed, co_await commit_logged(in, operation, std::move(batch)));
  if (!committed.rows) {
    CO_TRY(Found now_removed, co_await read(in, tenant, source, property));
    co_return std::move(now_removed.row);
  }
  Shown shown(std::move(committed.rows->back()));
  SM_CHECK(shown);
  co_return shown;
}

Task<Result<Shown>> run(Invocation& in, PropertyId property, Operation operation) {
  Races races(in);
  while (true) {
    Result<Shown> done =
        co_await attempt(in, operation.tenant, *operation.source, property, operation);
    if (!races.lost(done)) co_return done;
  }
}

}  // namespace

Task<Result<Shown>> remove_property(Invocation& in, TenantId tenant, SourceId source,
                                    PropertyId property) {
  Operation operation = begun(in, {tenant, "manual", source});
  return logged(in, operation, run(in, property, operation));
}

}  // namespace sm::flow
