#include "core/api/rows.h"

#include "core/json/cursor.h"
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

// Appends `"name":value` members; values are JSON, or texts that are quoted.
class ObjectWriter {
 public:
  explicit ObjectWriter(std::string& json) : json_(json) { json_ += '{'; }

  ObjectWriter& integer(std::string_view name, int64_t value) {
    return raw(name, std::to_string(value));
  }
  ObjectWriter& boolean(std::string_view name, bool value) {
    return raw(name, value ? "true" : "false");
  }
  ObjectWriter& raw(std::string_view name, std::string_view value) {
    start(name);
    json_ += value;
    return *this;
  }
  ObjectWriter& text(std::string_view name, std::string_view value) {
    start(name);
    json::append_quoted(json_, value);
    return *this;
  }
  ObjectWriter& maybe_text(std::string_view name, std::optional<std::string_view> value) {
    return value ? text(name, *value) : raw(name, "null");
  }
  ObjectWriter& maybe_integer(std::string_view name, std::optional<int64_t> value) {
    return value ? integer(name, *value) : raw(name, "null");
  }
  void end() { json_ += '}'; }

 private:
  void start(std::string_view name) {
    json_ += first_ ? "\"" : ",\"";
    first_ = false;
    json_ += name;
    json_ += "\":";
  }

  std::string& json_;
  bool first_ = true;
};

// The members that a property has on either side; the first seven columns of both queries.
void write_property(ObjectWriter& object, const store::Rows& row) {
  object.integer("id", row.integer(0)).text("external_id", row.text(1)).raw("data", row.text(2));
  object.text("hash", row.text(3)).integer("version", row.integer(4));
  object.text("created_at", row.text(5)).text("updated_at", row.text(6));
}

// The row's own warning first, then the contest of two sources, where there is one.
std::optional<std::string> warning_of(const store::Rows& row) {
  std::optional<std::string> warning;
  if (auto own = row.maybe_text(10)) warning = std::string(*own);
  auto owner_name = row.maybe_text(16);
  auto contester_name = row.maybe_text(17);
  if (owner_name && contester_name) {
    std::string contest =
        sync::contest_warning({row.integer(14), *owner_name}, {row.integer(15), *contester_name});
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
  ObjectWriter object(json);
  object.integer("id", row.id)
      .text("name", row.name)
      .text("type", row.type)
      .raw("config", row.config);
  object.integer("property_count", row.property_count);
  object.text("created_at", row.created_at).text("updated_at", row.updated_at).end();
}

void append_side_row(std::string& json, const store::Rows& row) {
  append_side(json, flow::side_row(row));
}

void append_key(std::string& json, const store::Rows& row) {
  ObjectWriter object(json);
  object.integer("id", row.integer(0)).text("created_at", row.text(1));
  object.maybe_text("revoked_at", row.maybe_text(2)).end();
}

void append_source_property(std::string& json, const store::Rows& row) {
  ObjectWriter object(json);
  write_property(object, row);
  object.integer("source_id", row.integer(7)).maybe_text("removed_at", row.maybe_text(8)).end();
}

void append_target_property(std::string& json, const store::Rows& row) {
  ObjectWriter object(json);
  write_property(object, row);
  object.integer("target_id", row.integer(7));
  object.maybe_integer("source_property_id", row.maybe_integer(8));
  object.boolean("has_manual_changes", row.integer(9) != 0);
  auto warning = warning_of(row);
  object.maybe_text("warning", warning ? std::optional<std::string_view>(*warning) : std::nullopt);
  object.text("sync_status", row.text(11)).maybe_text("last_synced", row.maybe_text(12)).end();
}

void append_snapshot(std::string& json, const store::Rows& row) {
  ObjectWriter object(json);
  object.integer("id", row.integer(0)).raw("data", row.text(1)).text("hash", row.text(2));
  object.integer("version", row.integer(3)).text("reason", row.text(4));
  object.text("created_at", row.text(5)).end();
}

void append_log(std::string& json, const store::Rows& row) {
  ObjectWriter object(json);
  object.integer("id", row.integer(0))
      .text("sync_id", row.text(1))
      .maybe_text("run_id", row.maybe_text(2));
  object.text("sync_type", row.text(3)).text("status", row.text(4));
  object.maybe_integer("source_id", row.maybe_integer(5))
      .maybe_integer("target_id", row.maybe_integer(6));
  object.integer("total_properties", row.integer(7)).integer("updated_properties", row.integer(8));
  object.integer("failed_properties", row.integer(9))
      .raw("stats", row.maybe_text(10).value_or("null"));
  object.maybe_text("error_message", row.maybe_text(11)).text("started_at", row.text(12));
  object.maybe_text("completed_at", row.maybe_text(13)).end();
}

int64_t property_revision(Side side, const store::Rows& row) {
  return row.integer(side == Side::source ? 9 : 13);
}

}  // namespace sm::api
