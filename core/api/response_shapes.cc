#include "core/api/response_shapes.h"

#include "core/api/choices.h"

namespace sm::api {
namespace {

using Kind = ResponseField::Kind;
using Need = ResponseField::Need;

constexpr std::string_view kKeyDoc = "Shown this once: keep it.";
constexpr std::string_view kHashDoc = "SHA-256 of the data's canonical form, lower-case hex.";

constexpr ResponseField kId{.name = "id", .kind = Kind::integer};
constexpr ResponseField kName{.name = "name", .kind = Kind::text};
constexpr ResponseField kNewKey{.name = "api_key", .kind = Kind::text, .doc = kKeyDoc};
constexpr ResponseField kExternalId{.name = "external_id", .kind = Kind::text};
constexpr ResponseField kData{.name = "data", .kind = Kind::object, .doc = "The whole item."};
constexpr ResponseField kHash{.name = "hash", .kind = Kind::text, .doc = kHashDoc};
constexpr ResponseField kVersion{
    .name = "version", .kind = Kind::integer, .doc = "From 1; one more with each change of data."};
constexpr ResponseField kCreatedAt{.name = "created_at", .kind = Kind::time};
constexpr ResponseField kUpdatedAt{.name = "updated_at", .kind = Kind::time};
constexpr ResponseField kSucceeded{.name = "status", .kind = Kind::choice, .choices = kSuccess};

constexpr ResponseField count(std::string_view name) {
  return {.name = name, .kind = Kind::integer};
}

constexpr ResponseField kStoreFields[] = {{.name = "kind", .kind = Kind::text},
                                          {.name = "ok", .kind = Kind::boolean}};
constexpr ResponseShape kStoreResponse{"Store", kStoreFields};
constexpr ResponseField kHealthFields[] = {
    {.name = "status", .kind = Kind::choice, .choices = kHealth},
    {.name = "version", .kind = Kind::text},
    {.name = "store", .kind = Kind::nested, .of = &kStoreResponse},
    {.name = "missing",
     .kind = Kind::texts,
     .need = Need::optional,
     .doc = "Variables that this deployment needs and does not have."},
    {.name = "invalid",
     .kind = Kind::texts,
     .need = Need::optional,
     .doc = "Variables of this deployment that have no value of their kind, or of their size."}};

constexpr ResponseField kKeyName{.name = "name", .kind = Kind::text, .need = Need::nullable};
constexpr ResponseField kScope{.name = "scope", .kind = Kind::choice, .choices = kKeyScopes};
constexpr ResponseField maybe_time(std::string_view name, std::string_view doc = {}) {
  return {.name = name, .kind = Kind::time, .need = Need::nullable, .doc = doc};
}

constexpr ResponseField maybe_limit(std::string_view name) {
  return {.name = name,
          .kind = Kind::integer,
          .need = Need::nullable,
          .doc = "null where there is none."};
}
constexpr ResponseField kQuotaFields[] = {maybe_limit("limit"), count("used")};
constexpr ResponseShape kQuota{"Quota", kQuotaFields};
constexpr ResponseField quota(std::string_view name, std::string_view doc) {
  return {.name = name, .kind = Kind::nested, .doc = doc, .of = &kQuota};
}
constexpr ResponseField kQuotasFields[] = {
    quota("properties", "Live ones, of sources and targets together."),
    quota("data_bytes", "Of properties, history included."), quota("sources", {}),
    quota("targets", {}), quota("keys", "That are alive.")};
constexpr ResponseShape kQuotas{"Quotas", kQuotasFields};
constexpr ResponseField kRatesFields[] = {maybe_limit("requests_per_second"),
                                          maybe_limit("writes_at_once")};
constexpr ResponseShape kRates{"Rates", kRatesFields};
constexpr ResponseField kTenantFields[] = {
    kId,
    kName,
    kCreatedAt,
    {.name = "quotas",
     .kind = Kind::nested,
     .doc = "What the tenant may have, and what it has.",
     .of = &kQuotas},
    {.name = "rates",
     .kind = Kind::nested,
     .doc = "Requests with each of its keys, and writes that do not wait for others.",
     .of = &kRates}};
constexpr ResponseField kListedTenantFields[] = {
    kId, kName, kCreatedAt, maybe_time("suspended_at", "Since then its keys open nothing.")};
constexpr ResponseField kNewTenantFields[] = {kId, kName, kNewKey, kCreatedAt};
constexpr ResponseField kKeyFields[] = {kId,
                                        kKeyName,
                                        kScope,
                                        kCreatedAt,
                                        maybe_time("last_used_at", "To the hour."),
                                        maybe_time("expires_at"),
                                        maybe_time("revoked_at")};
constexpr ResponseField kNewKeyFields[] = {kId,      kNewKey, kCreatedAt,
                                           kKeyName, kScope,  maybe_time("expires_at")};

constexpr ResponseField kConfig{.name = "config",
                                .kind = Kind::object,
                                .doc = "As it was given; secrets come back as ********."};
constexpr ResponseField kPropertyCount{
    .name = "property_count", .kind = Kind::integer, .doc = "Live properties."};
constexpr ResponseField kSourceFields[] = {
    kId,       kName,          {.name = "type", .kind = Kind::choice, .choices = kSourceTypes},
    kConfig,   kPropertyCount, kCreatedAt,
    kUpdatedAt};
constexpr ResponseField kTargetFields[] = {
    kId,       kName,          {.name = "type", .kind = Kind::choice, .choices = kTargetTypes},
    kConfig,   kPropertyCount, kCreatedAt,
    kUpdatedAt};

constexpr ResponseField kSourcePropertyFields[] = {
    kId,
    kExternalId,
    kData,
    kHash,
    kVersion,
    kCreatedAt,
    kUpdatedAt,
    {.name = "source_id", .kind = Kind::integer},
    {.name = "removed_at", .kind = Kind::time, .need = Need::nullable}};
constexpr ResponseField kTargetPropertyFields[] = {
    kId,
    kExternalId,
    kData,
    kHash,
    kVersion,
    kCreatedAt,
    kUpdatedAt,
    {.name = "target_id", .kind = Kind::integer},
    {.name = "source_property_id",
     .kind = Kind::integer,
     .need = Need::nullable,
     .doc = "The source's property that the row is tied to."},
    {.name = "has_manual_changes", .kind = Kind::boolean},
    {.name = "warning", .kind = Kind::text, .need = Need::nullable},
    {.name = "sync_status", .kind = Kind::choice, .choices = kSyncStatuses},
    {.name = "last_synced", .kind = Kind::time, .need = Need::nullable}};
constexpr ResponseField kSnapshotFields[] = {
    kId,
    kData,
    kHash,
    kVersion,
    {.name = "reason", .kind = Kind::text, .doc = "What ended this state."},
    kCreatedAt};
constexpr ResponseField kLogFields[] = {
    kId,
    {.name = "sync_id", .kind = Kind::text},
    {.name = "run_id", .kind = Kind::text, .need = Need::nullable},
    {.name = "sync_type", .kind = Kind::choice, .choices = kLogTypes},
    {.name = "status", .kind = Kind::choice, .choices = kLogStatuses},
    {.name = "source_id", .kind = Kind::integer, .need = Need::nullable},
    {.name = "target_id", .kind = Kind::integer, .need = Need::nullable},
    {.name = "total_properties", .kind = Kind::integer, .doc = "What was looked at."},
    {.name = "updated_properties",
     .kind = Kind::integer,
     .doc = "What was created, changed or removed."},
    {.name = "failed_properties",
     .kind = Kind::integer,
     .doc = "What failed or, in a sync, warned."},
    {.name = "stats", .kind = Kind::counts, .need = Need::nullable},
    {.name = "error_message", .kind = Kind::text, .need = Need::nullable},
    {.name = "started_at", .kind = Kind::time},
    {.name = "completed_at", .kind = Kind::time, .need = Need::nullable}};

constexpr ResponseField kDeletedFields[] = {count("properties"), count("snapshots")};
constexpr ResponseShape kDeletedResponse{"Deleted", kDeletedFields};
constexpr ResponseField kDeletionFields[] = {
    {.name = "status", .kind = Kind::choice, .choices = kDeleted},
    {.name = "deleted", .kind = Kind::nested, .of = &kDeletedResponse}};

constexpr ResponseField kImportStatsFields[] = {
    count("created"), count("updated"), count("skipped"), count("failed"), count("removed")};
constexpr ResponseShape kImportStats{"ImportStats", kImportStatsFields};
constexpr ResponseField kImportErrorFields[] = {
    {.name = "index", .kind = Kind::integer, .doc = "Of the item in the list, from 0."},
    {.name = "external_id", .kind = Kind::text, .need = Need::nullable},
    {.name = "detail", .kind = Kind::text}};
constexpr ResponseShape kImportError{"ImportError", kImportErrorFields};
constexpr ResponseField kImportFields[] = {
    {.name = "status", .kind = Kind::choice, .choices = kImportStatuses},
    {.name = "stats", .kind = Kind::nested, .of = &kImportStats},
    {.name = "errors",
     .kind = Kind::list,
     .doc = "Items that failed, the first 1,000 by index.",
     .of = &kImportError}};

constexpr ResponseField kSyncStatsFields[] = {count("created"),   count("updated"),
                                              count("skipped"),   count("warnings"),
                                              count("conflicts"), count("removed")};
constexpr ResponseShape kSyncStats{"SyncStats", kSyncStatsFields};
constexpr ResponseField kSyncFields[] = {
    kSucceeded,
    {.name = "stats", .kind = Kind::nested, .of = &kSyncStats},
    {.name = "delivery", .kind = Kind::choice, .choices = kDeliveries},
    {.name = "sync_id", .kind = Kind::text}};

constexpr ResponseField kDroppedFields[] = {count("source_snapshots"), count("target_snapshots")};
constexpr ResponseShape kDroppedResponse{"DroppedSnapshots", kDroppedFields};
constexpr ResponseField kCleanupFields[] = {
    kSucceeded, {.name = "deleted", .kind = Kind::nested, .of = &kDroppedResponse}};

}  // namespace

const ResponseShape kHealthResponse{"Health", kHealthFields};
const ResponseShape kTenantResponse{"Tenant", kTenantFields};
const ResponseShape kListedTenantResponse{"ListedTenant", kListedTenantFields};
const ResponseShape kNewTenantResponse{"CreatedTenant", kNewTenantFields};
const ResponseShape kKeyResponse{"Key", kKeyFields};
const ResponseShape kNewKeyResponse{"CreatedKey", kNewKeyFields};
const ResponseShape kSourceResponse{"Source", kSourceFields};
const ResponseShape kTargetResponse{"Target", kTargetFields};
const ResponseShape kSourcePropertyResponse{"SourceProperty", kSourcePropertyFields};
const ResponseShape kTargetPropertyResponse{"TargetProperty", kTargetPropertyFields};
const ResponseShape kSnapshotResponse{"Snapshot", kSnapshotFields};
const ResponseShape kLogResponse{"Log", kLogFields};
const ResponseShape kDeletionResponse{"Deletion", kDeletionFields};
const ResponseShape kImportResponse{"ImportResult", kImportFields};
const ResponseShape kSyncResponse{"SyncResult", kSyncFields};
const ResponseShape kCleanupResponse{"CleanupResult", kCleanupFields};

}  // namespace sm::api
