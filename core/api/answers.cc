#include "core/api/answers.h"

#include "core/api/choices.h"

namespace sm::api {
namespace {

using Kind = AnswerField::Kind;
using Need = AnswerField::Need;

constexpr std::string_view kKeyDoc = "Shown this once: keep it.";
constexpr std::string_view kHashDoc = "SHA-256 of the data's canonical form, lower-case hex.";

constexpr AnswerField kId{.name = "id", .kind = Kind::integer};
constexpr AnswerField kName{.name = "name", .kind = Kind::text};
constexpr AnswerField kNewKey{.name = "api_key", .kind = Kind::text, .doc = kKeyDoc};
constexpr AnswerField kExternalId{.name = "external_id", .kind = Kind::text};
constexpr AnswerField kData{.name = "data", .kind = Kind::object, .doc = "The whole item."};
constexpr AnswerField kHash{.name = "hash", .kind = Kind::text, .doc = kHashDoc};
constexpr AnswerField kVersion{
    .name = "version", .kind = Kind::integer, .doc = "From 1; one more with each change of data."};
constexpr AnswerField kCreatedAt{.name = "created_at", .kind = Kind::time};
constexpr AnswerField kUpdatedAt{.name = "updated_at", .kind = Kind::time};
constexpr AnswerField kSucceeded{.name = "status", .kind = Kind::choice, .choices = kSuccess};

constexpr AnswerField count(std::string_view name) { return {.name = name, .kind = Kind::integer}; }

constexpr AnswerField kStoreFields[] = {{.name = "kind", .kind = Kind::text},
                                        {.name = "ok", .kind = Kind::boolean}};
constexpr AnswerShape kStoreAnswer{"Store", kStoreFields};
constexpr AnswerField kHealthFields[] = {
    {.name = "status", .kind = Kind::choice, .choices = kHealth},
    {.name = "version", .kind = Kind::text},
    {.name = "store", .kind = Kind::nested, .of = &kStoreAnswer},
    {.name = "missing",
     .kind = Kind::texts,
     .need = Need::optional,
     .doc = "Variables that this deployment needs and does not have."},
    {.name = "invalid",
     .kind = Kind::texts,
     .need = Need::optional,
     .doc = "Variables of this deployment that have no value of their kind."}};

constexpr AnswerField kTenantFields[] = {kId, kName, kCreatedAt};
constexpr AnswerField kNewTenantFields[] = {kId, kName, kNewKey, kCreatedAt};
constexpr AnswerField kKeyFields[] = {
    kId, kCreatedAt, {.name = "revoked_at", .kind = Kind::time, .need = Need::nullable}};
constexpr AnswerField kNewKeyFields[] = {kId, kNewKey, kCreatedAt};

constexpr AnswerField kConfig{.name = "config",
                              .kind = Kind::object,
                              .doc = "As it was given; secrets come back as ********."};
constexpr AnswerField kPropertyCount{
    .name = "property_count", .kind = Kind::integer, .doc = "Live properties."};
constexpr AnswerField kSourceFields[] = {
    kId,       kName,          {.name = "type", .kind = Kind::choice, .choices = kSourceTypes},
    kConfig,   kPropertyCount, kCreatedAt,
    kUpdatedAt};
constexpr AnswerField kTargetFields[] = {
    kId,       kName,          {.name = "type", .kind = Kind::choice, .choices = kTargetTypes},
    kConfig,   kPropertyCount, kCreatedAt,
    kUpdatedAt};

constexpr AnswerField kSourcePropertyFields[] = {
    kId,
    kExternalId,
    kData,
    kHash,
    kVersion,
    kCreatedAt,
    kUpdatedAt,
    {.name = "source_id", .kind = Kind::integer},
    {.name = "removed_at", .kind = Kind::time, .need = Need::nullable}};
constexpr AnswerField kTargetPropertyFields[] = {
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
constexpr AnswerField kSnapshotFields[] = {
    kId,
    kData,
    kHash,
    kVersion,
    {.name = "reason", .kind = Kind::text, .doc = "What ended this state."},
    kCreatedAt};
constexpr AnswerField kLogFields[] = {
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

constexpr AnswerField kDeletedFields[] = {count("properties"), count("snapshots")};
constexpr AnswerShape kDeletedAnswer{"Deleted", kDeletedFields};
constexpr AnswerField kDeletionFields[] = {
    {.name = "status", .kind = Kind::choice, .choices = kDeleted},
    {.name = "deleted", .kind = Kind::nested, .of = &kDeletedAnswer}};

constexpr AnswerField kImportStatsFields[] = {count("created"), count("updated"), count("skipped"),
                                              count("failed"), count("removed")};
constexpr AnswerShape kImportStats{"ImportStats", kImportStatsFields};
constexpr AnswerField kImportErrorFields[] = {
    {.name = "index", .kind = Kind::integer, .doc = "Of the item in the list, from 0."},
    {.name = "external_id", .kind = Kind::text, .need = Need::nullable},
    {.name = "detail", .kind = Kind::text}};
constexpr AnswerShape kImportError{"ImportError", kImportErrorFields};
constexpr AnswerField kImportFields[] = {
    {.name = "status", .kind = Kind::choice, .choices = kImportStatuses},
    {.name = "stats", .kind = Kind::nested, .of = &kImportStats},
    {.name = "errors",
     .kind = Kind::list,
     .doc = "Items that failed, the first 1,000 by index.",
     .of = &kImportError}};

constexpr AnswerField kSyncStatsFields[] = {count("created"),   count("updated"),
                                            count("skipped"),   count("warnings"),
                                            count("conflicts"), count("removed")};
constexpr AnswerShape kSyncStats{"SyncStats", kSyncStatsFields};
constexpr AnswerField kSyncFields[] = {
    kSucceeded,
    {.name = "stats", .kind = Kind::nested, .of = &kSyncStats},
    {.name = "delivery", .kind = Kind::choice, .choices = kDeliveries},
    {.name = "sync_id", .kind = Kind::text}};

constexpr AnswerField kDroppedFields[] = {count("source_snapshots"), count("target_snapshots")};
constexpr AnswerShape kDroppedAnswer{"DroppedSnapshots", kDroppedFields};
constexpr AnswerField kCleanupFields[] = {
    kSucceeded, {.name = "deleted", .kind = Kind::nested, .of = &kDroppedAnswer}};

}  // namespace

const AnswerShape kHealthAnswer{"Health", kHealthFields};
const AnswerShape kTenantAnswer{"Tenant", kTenantFields};
const AnswerShape kNewTenantAnswer{"CreatedTenant", kNewTenantFields};
const AnswerShape kKeyAnswer{"Key", kKeyFields};
const AnswerShape kNewKeyAnswer{"CreatedKey", kNewKeyFields};
const AnswerShape kSourceAnswer{"Source", kSourceFields};
const AnswerShape kTargetAnswer{"Target", kTargetFields};
const AnswerShape kSourcePropertyAnswer{"SourceProperty", kSourcePropertyFields};
const AnswerShape kTargetPropertyAnswer{"TargetProperty", kTargetPropertyFields};
const AnswerShape kSnapshotAnswer{"Snapshot", kSnapshotFields};
const AnswerShape kLogAnswer{"Log", kLogFields};
const AnswerShape kDeletionAnswer{"Deletion", kDeletionFields};
const AnswerShape kImportAnswer{"ImportResult", kImportFields};
const AnswerShape kSyncAnswer{"SyncResult", kSyncFields};
const AnswerShape kCleanupAnswer{"CleanupResult", kCleanupFields};

}  // namespace sm::api
