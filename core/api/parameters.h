// The parameters of the routes that have any.
#pragma once

#include "core/api/choices.h"
#include "core/api/parameter.h"
#include "core/base/limits.h"

namespace sm::api {

inline constexpr Parameter kLimit{.name = "limit",
                                  .kind = Parameter::Kind::integer,
                                  .doc = "Rows of a page; without it all rows are streamed.",
                                  .low = 1,
                                  .high = kMaxPageRows};
inline constexpr Parameter kCursor{
    .name = "cursor",
    .kind = Parameter::Kind::cursor,
    .doc = "Where a page begins: taken from the Link header of the one before."};
inline constexpr Parameter kExternalId{.name = "external_id",
                                       .kind = Parameter::Kind::text,
                                       .doc = "Only the property with this external id.",
                                       .low = 1,
                                       .high = static_cast<int64_t>(kMaxIdentityBytes)};
inline constexpr Parameter kUpdatedSince{
    .name = "updated_since",
    .kind = Parameter::Kind::time,
    .doc = "Only properties that changed at this time or later."};

constexpr Parameter id_parameter(std::string_view name, std::string_view doc) {
  return {.name = name, .kind = Parameter::Kind::integer, .doc = doc, .low = 1, .high = kMaxId};
}

inline constexpr Parameter kListParameters[] = {kLimit, kCursor};
inline constexpr Parameter kSourcePropertyParameters[] = {
    kLimit,
    kCursor,
    kExternalId,
    kUpdatedSince,
    {.name = "removed",
     .kind = Parameter::Kind::boolean,
     .doc = "true: only removed properties; false: only live ones."}};
inline constexpr Parameter kTargetPropertyParameters[] = {
    kLimit,
    kCursor,
    kExternalId,
    kUpdatedSince,
    {.name = "has_manual_changes",
     .kind = Parameter::Kind::boolean,
     .doc = "true: only properties that were edited by hand; false: the others."},
    {.name = "removed",
     .kind = Parameter::Kind::boolean,
     .doc = "true: only properties whose source removed them; false: the others."},
    {.name = "sync_status",
     .kind = Parameter::Kind::choice,
     .doc = "Only properties in this state.",
     .choices = kSyncStatuses},
    id_parameter("source_id", "Only properties that are tied to this source.")};
inline constexpr Parameter kLogParameters[] = {kLimit,
                                               kCursor,
                                               id_parameter("source_id", "Only of this source."),
                                               id_parameter("target_id", "Only of this target."),
                                               {.name = "status",
                                                .kind = Parameter::Kind::choice,
                                                .doc = "Only what ended so, or runs.",
                                                .choices = kLogStatuses},
                                               {.name = "sync_type",
                                                .kind = Parameter::Kind::choice,
                                                .doc = "Only of this kind.",
                                                .choices = kLogTypes}};
inline constexpr Parameter kImportParameters[] = {
    {.name = "mode",
     .kind = Parameter::Kind::choice,
     .doc = "upsert: items are created or updated, nothing is removed; full: properties that the "
            "list lacks are marked removed.",
     .choices = kImportModes,
     .preset = "\"upsert\""},
    {.name = "force",
     .kind = Parameter::Kind::boolean,
     .doc = "true: remove them however many they are (max_removed_ratio of the source).",
     .preset = "false"}};
inline constexpr Parameter kCleanupParameters[] = {
    {.name = "days",
     .kind = Parameter::Kind::integer,
     .doc = "Snapshots older than this many days go; the deployment's RETENTION_DAYS, or 30, where "
            "it lacks.",
     .low = 0,
     .high = kMaxRetentionDays}};

}  // namespace sm::api
