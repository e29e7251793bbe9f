// How rows look in answers: one writer each. Their shapes stand in response_shapes.h.
#pragma once

#include <string>

#include "core/flow/configure.h"
#include "core/flow/list.h"
#include "core/json/writer.h"
#include "core/store/store.h"

namespace sm::api {

// The members that a tenant has wherever it is told of.
void append_tenant(json::ObjectWriter& object, const store::TenantRow& row);

// Each appends one JSON object.
// As the administrator sees it.
void append_listed_tenant(std::string& json, const store::TenantRow& row);
void append_connector(std::string& json, const flow::ConnectorRow& row);
void append_listed_connector(std::string& json, const store::ConnectorsPageRow& row);
void append_key(std::string& json, const store::KeyRow& row);
void append_source_property(std::string& json, const store::SourcePropertyRow& row);
void append_target_property(std::string& json, const store::TargetPropertyRow& row);
// Of a row of a list, which comes in fewer cells, with its data.
void append_listed_source_property(std::string& json, const store::ListedSourcePropertyRow& row);
void append_listed_target_property(std::string& json, const store::ListedTargetPropertyRow& row);
void append_snapshot(std::string& json, const store::SnapshotsPageRow& row);
void append_log(std::string& json, const store::LogsPageRow& row);

// Reads the next row of a list and appends it, unless it came without its data.
template <typename Row, void (*append)(std::string& json, const Row& row)>
flow::TakenRow append_next(std::string& json, store::Rows& rows) {
  auto row = store::only<Row>(rows);
  append(json, row);
  return {row.id};
}
template <typename Row, void (*append)(std::string& json, const Row& row)>
flow::TakenRow append_next_large(std::string& json, store::Rows& rows) {
  auto row = store::only<Row>(rows);
  if (row.data) append(json, row);
  return {row.id, row.bytes, row.data.has_value()};
}

}  // namespace sm::api
