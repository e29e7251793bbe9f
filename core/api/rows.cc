#include "core/api/rows.h"

#include "core/json/writer.h"
#include "core/sync/plan.h"

namespace sm::api {
namespace {

using Kind = Field::Kind;
using Need = Field::Need;

constexpr Field kTenantFields[] = {
    {"id", Kind::integer},
    {"name", Kind::name},
    {"api_key", Kind::text, Need::required, "Shown this once: keep it."},
    {"created_at", Kind::time}};
constexpr Field kKeyFields[] = {
    {"id", Kind::integer}, {"created_at", Kind::time}, {"revoked_at", Kind::time, Need::nullable}};
constexpr Field kNewKeyFields[] = {
    {"id", Kind::integer},
    {"api_key", Kind::text, Need::required, "Shown this once: keep it."},
    {"created_at", Kind::time}};
constexpr Field kSideFields[] = {
    {"id", Kind::integer},
    {"name", Kind::name},
    {"type", Kind::text},
    {"config", Kind::object, Need::required, "As it was given; secrets come back as ********."},
    {"property_count", Kind::integer, Need::required, "Live properties."},
    {"created_at", Kind::time},
    {"updated_at", Kind::time}};
constexpr Field kSourcePropertyFields[] = {
    {"id", Kind::integer},
    {"external_id", Kind::text},
    {"data", Kind::object},
    {"hash", Kind::text, Need::required, "SHA-256 of the data's canonical form, lower-case hex."},
    {"version", Kind::integer},
    {"created_at", Kind::time},
    {"updated_at", Kind::time},
    {"source_id", Kind::integer},
    {"removed_at", Kind::time, Need::nullable}};
constexpr Field kTargetPropertyFields[] = {
    {"id", Kind::integer},
    {"external_id", Kind::text},
    {"data", Kind::object},
    {"hash", Kind::text, Need::required, "SHA-256 of the data's canonical form, lower-case hex."},
    {"version", Kind::integer},
    {"created_at", Kind::time},
    {"updated_at", Kind::time},
    {"target_id", Kind::integer},
    {"source_property_id", Kind::integer, Need::nullable},
    {"has_manual_changes", Kind::boolean},
    {"warning", Kind::text, Need::nullable},
    {"sync_status", Kind::text, Need::required, "synced, manual, conflict or removed"},
    {"last_synced", Kind::time, Need::nullable}};
constexpr Field kSnapshotFields[] = {{"id", Kind::integer},  {"data", Kind::object},
                                     {"hash", Kind::text},   {"version", Kind::integer},
                                     {"reason", Kind::text}, {"created_at", Kind::time}};
constexpr Field kLogFields[] = {{"id", Kind::integer},
                                {"sync_id", Kind::text},
                                {"run_id", Kind::text, Need::nullable},
                                {"sync_type", Kind::text},
                                {"status", Kind::text},
                                {"source_id", Kind::integer, Need::nullable},
                                {"target_id", Kind::integer, Need::nullable},
                                {"total_properties", Kind::integer},
                                {"updated_properties", Kind::integer},
                                {"failed_properties", Kind::integer},
                                {"stats", Kind::stats, Need::nullable},
                                {"error_message", Kind::text, Need::nullable},
                                {"started_at", Kind::time},
                                {"completed_at", Kind::time, Need::nullable}};

// The members that a property has on either side.
template <typename Row>
void write_property(json::ObjectWriter& object, const Row& row) {
  object.integer("id", row.id).text("external_id", row.external_id).raw("data", row.data);
  object.text("hash", row.hash).integer("version", row.version);
  object.text("created_at", row.created_at).text("updated_at", row.updated_at);
}

// The row's own warning first, then the contest of two sources, where there is one.
std::optional<std::string> warning_of(const store::TargetPropertyRow& row) {
  std::optional<std::string> warning;
  if (row.manual_changes_warning) warning = std::string(*row.manual_changes_warning);
  if (row.owner_name && row.contester_name) {
    std::string contest =
        sync::contest_warning({row.owner.value_or(0), *row.owner_name},
                              {row.contested_by.value_or(0), *row.contester_name});
    warning = warning ? *warning + ". " + contest : contest;
  }
  return warning;
}

}  // namespace

const Shape kTenantShape{"Tenant", kTenantFields};
const Shape kKeyShape{"Key", kKeyFields};
const Shape kNewKeyShape{"NewKey", kNewKeyFields};
const Shape kSourceShape{"Source", kSideFields};
const Shape kTargetShape{"Target", kSideFields};
const Shape kSourcePropertyShape{"SourceProperty", kSourcePropertyFields};
const Shape kTargetPropertyShape{"TargetProperty", kTargetPropertyFields};
const Shape kSnapshotShape{"Snapshot", kSnapshotFields};
const Shape kLogShape{"Log", kLogFields};

void append_side(std::string& json, const flow::SideRow& row) {
  json::ObjectWriter object(json);
  object.integer("id", row.id)
      .text("name", row.name)
      .text("type", row.type)
      .raw("config", row.config);
  object.integer("property_count", row.property_count);
  object.text("created_at", row.created_at).text("updated_at", row.updated_at).end();
}

void append_side_row(std::string& json, const store::SideRow& row) {
  append_side(json, flow::side_row(row));
}

void append_key(std::string& json, const store::KeyRow& row) {
  json::ObjectWriter object(json);
  object.integer("id", row.id).text("created_at", row.created_at);
  object.maybe_text("revoked_at", row.revoked_at).end();
}

void append_source_property(std::string& json, const store::SourcePropertyRow& row) {
  json::ObjectWriter object(json);
  write_property(object, row);
  object.integer("source_id", row.source_id).maybe_text("removed_at", row.removed_at).end();
}

void append_target_property(std::string& json, const store::TargetPropertyRow& row) {
  json::ObjectWriter object(json);
  write_property(object, row);
  object.integer("target_id", row.target_id);
  object.maybe_integer("source_property_id", row.source_property_id);
  object.raw("has_manual_changes", row.has_manual_changes != 0 ? "true" : "false");
  auto warning = warning_of(row);
  object.maybe_text("warning", warning ? std::optional<std::string_view>(*warning) : std::nullopt);
  object.text("sync_status", row.sync_status).maybe_text("last_synced", row.last_synced).end();
}

void append_snapshot(std::string& json, const store::SnapshotsPageRow& row) {
  json::ObjectWriter object(json);
  object.integer("id", row.id).raw("data", row.data).text("hash", row.hash);
  object.integer("version", row.version).text("reason", row.reason);
  object.text("created_at", row.created_at).end();
}

void append_log(std::string& json, const store::LogsPageRow& row) {
  json::ObjectWriter object(json);
  object.integer("id", row.id).text("sync_id", row.sync_id).maybe_text("run_id", row.run_id);
  object.text("sync_type", row.sync_type).text("status", row.status);
  object.maybe_integer("source_id", row.source_id).maybe_integer("target_id", row.target_id);
  object.integer("total_properties", row.total_properties)
      .integer("updated_properties", row.updated_properties)
      .integer("failed_properties", row.failed_properties)
      .raw("stats", row.stats.value_or("null"));
  object.maybe_text("error_message", row.error_message).text("started_at", row.started_at);
  object.maybe_text("completed_at", row.completed_at).end();
}

}  // namespace sm::api
