// How rows look in answers: one writer and one shape each. The shapes document what the writers
// write.
#pragma once

#include <string>

#include "core/api/shape.h"
#include "core/flow/sides.h"
#include "core/store/rows.h"

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

// Each appends one JSON object. The columns of `row` are those of the query of the same name
// (schema/queries).
void append_side(std::string& json, const flow::SideRow& row);
void append_side_row(std::string& json, const store::Rows& row);
void append_key(std::string& json, const store::Rows& row);
void append_source_property(std::string& json, const store::Rows& row);
void append_target_property(std::string& json, const store::Rows& row);
void append_snapshot(std::string& json, const store::Rows& row);
void append_log(std::string& json, const store::Rows& row);

// The revision column of a property row, which its entity tag is made of.
int64_t property_revision(Side side, const store::Rows& row);

}  // namespace sm::api
