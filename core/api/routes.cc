#include <array>

#include "core/api/handlers.h"
#include "core/api/paging.h"
#include "core/api/requests.h"
#include "core/api/rows.h"

namespace sm::api {
namespace {

constexpr Parameter kListParameters[] = {kLimit, kCursor};
constexpr Parameter kExternalId{"external_id", "Only the property with this external id."};
constexpr Parameter kUpdatedSince{"updated_since",
                                  "Only properties that changed at this RFC 3339 time or later."};
constexpr Parameter kSourcePropertyParameters[] = {
    kLimit,
    kCursor,
    kExternalId,
    kUpdatedSince,
    {"removed", "true: only removed properties; false: only live ones."},
    {"has_manual_changes", {}}};
constexpr Parameter kTargetPropertyParameters[] = {
    kLimit,
    kCursor,
    kExternalId,
    kUpdatedSince,
    {"has_manual_changes", "true: only properties that were edited by hand; false: the others."}};
constexpr Parameter kLogParameters[] = {kLimit,
                                        kCursor,
                                        {"source_id", "Only of this source."},
                                        {"target_id", "Only of this target."},
                                        {"status", "running, success, partial or failed."},
                                        {"sync_type", "import, sync, manual or cleanup."}};
constexpr Parameter kImportParameters[] = {
    {"mode",
     "upsert: items are created or updated, nothing is removed; full: properties that the list "
     "lacks are marked removed."},
    {"force", "true: remove them however many they are (max_removed_ratio of the source)."}};
constexpr Parameter kCleanupParameters[] = {
    {"days",
     "Snapshots older than this many days go; the deployment's RETENTION_DAYS, or 30, where it "
     "lacks."}};

constexpr std::span<const Parameter> kNone = {};
constexpr auto kSource = Side::source;
constexpr auto kTarget = Side::target;
constexpr auto kOpen = Access::open;
constexpr auto kKey = Access::key;

const Route kRoutes[] = {
    {"GET", "/", kSource, kOpen, BodyRule::none, show_start_page, kNone, Answer::document, nullptr,
     nullptr, "What this is"},
    {"GET", "/health", kSource, kOpen, BodyRule::none, show_health, kNone, Answer::document,
     nullptr, nullptr, "Whether the service and its store answer"},
    {"GET", "/docs", kSource, kOpen, BodyRule::none, show_docs, kNone, Answer::document, nullptr,
     nullptr, "Interactive documentation"},
    {"GET",
     "/docs/swagger-ui.css",
     kSource,
     kOpen,
     BodyRule::none,
     show_docs_file,
     kNone,
     Answer::file,
     nullptr,
     nullptr,
     {}},
    {"GET",
     "/docs/swagger-ui-bundle.js",
     kSource,
     kOpen,
     BodyRule::none,
     show_docs_file,
     kNone,
     Answer::file,
     nullptr,
     nullptr,
     {}},
    {"GET",
     "/docs/init.js",
     kSource,
     kOpen,
     BodyRule::none,
     show_docs_file,
     kNone,
     Answer::file,
     nullptr,
     nullptr,
     {}},
    {"GET",
     "/start.js",
     kSource,
     kOpen,
     BodyRule::none,
     show_docs_file,
     kNone,
     Answer::file,
     nullptr,
     nullptr,
     {}},
    {"GET", "/openapi.json", kSource, kOpen, BodyRule::none, show_openapi, kNone, Answer::document,
     nullptr, nullptr, "This document"},
    {"GET", "/docs/swagger.json", kSource, kOpen, BodyRule::none, show_openapi, kNone,
     Answer::document, nullptr, nullptr, "This document, under its older name"},

    {"POST", "/tenants", kSource, Access::signup, BodyRule::json, create_tenant, kNone,
     Answer::created, &kNewTenantShape, &kTenantShape, "Create a tenant and its first key"},
    {"POST", "/keys", kSource, kKey, BodyRule::none, create_key, kNone, Answer::created, nullptr,
     &kNewKeyShape, "Make a further key"},
    {"GET", "/keys", kSource, kKey, BodyRule::none, list_keys, kListParameters, Answer::list,
     nullptr, &kKeyShape, "The tenant's keys, never their text"},
    {"DELETE", "/keys/{id}", kSource, kKey, BodyRule::none, revoke_key, kNone, Answer::row, nullptr,
     &kKeyShape, "Revoke a key, but not the last one"},

    {"POST", "/sources", kSource, kKey, BodyRule::json, create_side, kNone, Answer::created,
     &kNewSourceShape, &kSourceShape, "Create a source"},
    {"GET", "/sources", kSource, kKey, BodyRule::none, list_sides, kListParameters, Answer::list,
     nullptr, &kSourceShape, "All sources"},
    {"GET", "/sources/{id}", kSource, kKey, BodyRule::none, show_side, kNone, Answer::row, nullptr,
     &kSourceShape, "One source"},
    {"PATCH", "/sources/{id}", kSource, kKey, BodyRule::merge_patch, change_side, kNone,
     Answer::row, &kSidePatchShape, &kSourceShape, "Change a source's name or configuration"},
    {"DELETE", "/sources/{id}", kSource, kKey, BodyRule::none, delete_side, kNone, Answer::deletion,
     nullptr, nullptr, "Delete a source, its properties and their snapshots; target rows stay"},
    {"POST", "/sources/{id}/import", kSource, kKey, BodyRule::import, import_properties,
     kImportParameters, Answer::import, &kImportShape, nullptr, "Import properties"},
    {"GET", "/sources/{id}/properties", kSource, kKey, BodyRule::none, list_properties,
     kSourcePropertyParameters, Answer::list, nullptr, &kSourcePropertyShape,
     "A source's properties"},
    {"GET", "/sources/{id}/properties/{prop_id}", kSource, kKey, BodyRule::none, show_property,
     kNone, Answer::row, nullptr, &kSourcePropertyShape, "One property of a source"},
    {"DELETE", "/sources/{id}/properties/{prop_id}", kSource, kKey, BodyRule::none, remove_property,
     kNone, Answer::row, nullptr, &kSourcePropertyShape, "Mark one property of a source removed"},
    {"GET", "/sources/{id}/properties/{prop_id}/snapshots", kSource, kKey, BodyRule::none,
     list_snapshots, kListParameters, Answer::list, nullptr, &kSnapshotShape,
     "Older versions of a source's property"},

    {"POST", "/targets", kTarget, kKey, BodyRule::json, create_side, kNone, Answer::created,
     &kNewTargetShape, &kTargetShape, "Create a target"},
    {"GET", "/targets", kTarget, kKey, BodyRule::none, list_sides, kListParameters, Answer::list,
     nullptr, &kTargetShape, "All targets"},
    {"GET", "/targets/{id}", kTarget, kKey, BodyRule::none, show_side, kNone, Answer::row, nullptr,
     &kTargetShape, "One target"},
    {"PATCH", "/targets/{id}", kTarget, kKey, BodyRule::merge_patch, change_side, kNone,
     Answer::row, &kSidePatchShape, &kTargetShape, "Change a target's name or configuration"},
    {"DELETE", "/targets/{id}", kTarget, kKey, BodyRule::none, delete_side, kNone, Answer::deletion,
     nullptr, nullptr, "Delete a target, its properties and their snapshots"},
    {"GET", "/targets/{id}/properties", kTarget, kKey, BodyRule::none, list_properties,
     kTargetPropertyParameters, Answer::list, nullptr, &kTargetPropertyShape,
     "A target's properties"},
    {"GET", "/targets/{id}/properties/{prop_id}", kTarget, kKey, BodyRule::none, show_property,
     kNone, Answer::row, nullptr, &kTargetPropertyShape, "One property of a target"},
    {"PATCH", "/targets/{id}/properties/{prop_id}", kTarget, kKey, BodyRule::merge_patch,
     edit_property, kNone, Answer::row, &kEditShape, &kTargetPropertyShape,
     "Edit a target's property by hand; syncs keep the edit"},
    {"GET", "/targets/{id}/properties/{prop_id}/snapshots", kTarget, kKey, BodyRule::none,
     list_snapshots, kListParameters, Answer::list, nullptr, &kSnapshotShape,
     "Older versions of a target's property"},

    {"POST", "/sync/{source_id}/{target_id}", kSource, kKey, BodyRule::none, sync_source_to_target,
     kNone, Answer::sync, nullptr, nullptr, "Bring a target in step with a source"},
    {"GET", "/logs", kSource, kKey, BodyRule::none, list_logs, kLogParameters, Answer::list,
     nullptr, &kLogShape, "What was done"},
    {"POST", "/cleanup", kSource, kKey, BodyRule::none, clean_up, kCleanupParameters,
     Answer::cleanup, nullptr, nullptr, "Drop old snapshots"},
};

}  // namespace

std::span<const Route> routes() { return kRoutes; }

}  // namespace sm::api
