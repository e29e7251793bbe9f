// How rows look in answers: one writer and one shape each. The shapes document what the writers
// write.
#pragma once

#include <string>

#include "core/api/shape.h"
#include "core/flow/sides.h"
#include "core/store/store.h"

namespace sm::api {

extern const Shape kTenantShape;
extern const Shape kKeyShape;
extern const Shape kNewKeyShape;
extern const Shape kSourceShape;
extern const Shape kTargetShape;
extern const Shape kSourcePropertyShape;
extern const Shape kTargetPropertyShape;
extern const Shape kSnapshotShape;
extern const Shape kLogShape;

// Each appends one JSON object.
void append_side(std::string& json, const flow::SideRow& row);
void append_side_row(std::string& json, const store::SideRow& row);
void append_key(std::string& json, const store::KeyRow& row);
void append_source_property(std::string& json, const store::SourcePropertyRow& row);
void append_target_property(std::string& json, const store::TargetPropertyRow& row);
void append_snapshot(std::string& json, const store::SnapshotsPageRow& row);
void append_log(std::string& json, const store::LogsPageRow& row);

// Reads the next row of a list and appends it: its id.
template <typename Row, void (*append)(std::string& json, const Row& row)>
int64_t append_next(std::string& json, store::Rows& rows) {
  auto row = store::only<Row>(rows);
  append(json, row);
  return row.id;
}

}  // namespace sm::api
