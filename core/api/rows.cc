#include "core/api/rows.h"

#include <cstdlib>
#include <vector>

#include "core/base/encoding.h"
#include "core/base/limits.h"
#include "core/base/time.h"
#include "core/json/cursor.h"
#include "core/json/writer.h"
#include "core/sync/plan.h"

namespace sm::api {
namespace {

std::optional<std::string_view> view_of(const std::optional<std::string>& text) {
  return text ? std::optional<std::string_view>(*text) : std::nullopt;
}

int64_t number_of(std::string_view digits) {
  return std::strtoll(std::string(digits).c_str(), nullptr, 10);
}

// The members of a list's row that one column holds (schema/queries/properties.sql), read one after
// the other; the last one may hold what it likes.
class ListedMembers {
 public:
  explicit ListedMembers(std::string_view text) : rest_(text) {}

  std::string_view text() {
    size_t end = rest_.find('|');
    SM_CHECK(end != std::string_view::npos);
    std::string_view member = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return member;
  }
  std::optional<std::string_view> maybe_text() {
    std::string_view member = text();
    return member.empty() ? std::nullopt : std::optional(member);
  }
  int64_t integer() { return number_of(text()); }
  std::optional<int64_t> maybe_integer() {
    auto member = maybe_text();
    return member ? std::optional(number_of(*member)) : std::nullopt;
  }
  std::string_view last() const { return rest_; }

 private:
  std::string_view rest_;
};

// Appends an object of JSON, which the store sent as text, or in hexadecimal where that is quicker.
void append_sent(std::string& json, std::string_view data) {
  if (data.starts_with('{')) {
    json += data;
  } else {
    append_from_hex(json, data);
  }
}

// The members that a property has on either side.
template <typename Row>
void write_property(json::ObjectWriter& object, const Row& row) {
  object.integer("id", row.id).text("external_id", row.external_id);
  if constexpr (requires { row.sent; }) {
    append_sent(object.key("data"), row.sent);
  } else {
    object.raw("data", row.data);
  }
  object.text("hash", row.hash).integer("version", row.version);
  object.text("created_at", row.created_at).text("updated_at", row.updated_at);
}

// What a list's row says of a property on either side, its data as it was sent.
struct ListedProperty {
  int64_t id;
  std::string_view external_id;
  std::string_view sent;
  std::string_view hash;
  int64_t version;
  std::string_view created_at;
  std::string_view updated_at;
};

struct ListedSourceProperty : ListedProperty {
  int64_t source_id;
  std::optional<std::string_view> removed_at;
};

struct ListedTargetProperty : ListedProperty {
  int64_t target_id;
  std::optional<int64_t> source_property_id;
  int64_t has_manual_changes;
  std::string_view sync_status;
  std::optional<std::string_view> last_synced;
};

// Up to the members that both sides have; the external id comes last.
template <typename Row>
ListedProperty listed_property(const Row& row, ListedMembers& members) {
  return {row.id, {}, *row.data, members.text(), members.integer(), members.text(), members.text()};
}

template <typename Row>
void write_source_property(std::string& json, const Row& row) {
  json::ObjectWriter object(json);
  write_property(object, row);
  object.integer("source_id", row.source_id).maybe_text("removed_at", row.removed_at).end();
}

template <typename Row>
void write_target_property(std::string& json, const Row& row,
                           const std::optional<std::string>& warning) {
  json::ObjectWriter object(json);
  write_property(object, row);
  object.integer("target_id", row.target_id);
  object.maybe_integer("source_property_id", row.source_property_id);
  object.boolean("has_manual_changes", row.has_manual_changes != 0);
  object.maybe_text("warning", view_of(warning));
  object.text("sync_status", row.sync_status).maybe_text("last_synced", row.last_synced).end();
}

// Two sources of which each has the same property, by number and name; a name is missing where
// there is no contest.
struct Contest {
  int64_t owner;
  std::optional<std::string_view> owner_name;
  int64_t contester;
  std::optional<std::string_view> contester_name;
};

// The row's own warning first, then the contest of two sources, where there is one.
std::optional<std::string> warning_of(std::optional<std::string_view> own, const Contest& contest) {
  std::optional<std::string> warning;
  if (own) warning = std::string(*own);
  if (contest.owner_name && contest.contester_name) {
    std::string text = sync::contest_warning({contest.owner, *contest.owner_name},
                                             {contest.contester, *contest.contester_name});
    warning = warning ? *warning + ". " + text : text;
  }
  return warning;
}

std::optional<std::string> listed_warning(std::optional<std::string_view> warnings) {
  if (!warnings) return std::nullopt;
  std::vector<std::string_view> values;
  for (json::ElementCursor element(*warnings); element.next();) values.push_back(element.value());
  SM_CHECK(values.size() == 5);
  auto text = [&](size_t at) -> std::optional<std::string> {
    if (json::type_of(values[at]) == json::ValueType::null) return std::nullopt;
    return json::unquote(values[at]);
  };
  std::optional<std::string> own = text(0);
  std::optional<std::string> owner = text(2);
  std::optional<std::string> contester = text(4);
  return warning_of(view_of(own), {number_of(values[1]), view_of(owner), number_of(values[3]),
                                   view_of(contester)});
}

}  // namespace

void append_tenant(json::ObjectWriter& object, const store::TenantRow& row) {
  object.integer("id", row.id).text("name", row.name).text("created_at", row.created_at);
}

void append_listed_tenant(std::string& json, const store::TenantRow& row) {
  json::ObjectWriter object(json);
  append_tenant(object, row);
  object.maybe_text("suspended_at", row.suspended_at).end();
}

void append_connector(std::string& json, const flow::ConnectorRow& row) {
  json::ObjectWriter object(json);
  object.integer("id", row.id)
      .text("name", row.name)
      .text("type", row.type)
      .raw("config", row.config);
  object.integer("property_count", row.property_count);
  object.text("created_at", row.created_at).text("updated_at", row.updated_at).end();
}

void append_listed_connector(std::string& json, const store::ConnectorsPageRow& row) {
  append_connector(json,
                   {row.id, std::string(row.name), std::string(row.type), std::string(*row.data),
                    row.property_count, std::string(row.created_at), std::string(row.updated_at)});
}

void append_key(std::string& json, const store::KeyRow& row) {
  json::ObjectWriter object(json);
  std::optional<std::string> last_used;
  if (row.last_used_hour > 0) last_used = to_text(Time{row.last_used_hour * kHourMs});
  object.integer("id", row.id).maybe_text("name", row.name).text("scope", row.scope);
  object.text("created_at", row.created_at).maybe_text("last_used_at", last_used);
  object.maybe_text("expires_at", row.expires_at).maybe_text("revoked_at", row.revoked_at).end();
}

void append_source_property(std::string& json, const store::SourcePropertyRow& row) {
  write_source_property(json, row);
}

void append_listed_source_property(std::string& json, const store::ListedSourcePropertyRow& row) {
  ListedMembers members(row.members);
  ListedSourceProperty property{listed_property(row, members), members.integer(),
                                members.maybe_text()};
  property.external_id = members.last();
  write_source_property(json, property);
}

void append_target_property(std::string& json, const store::TargetPropertyRow& row) {
  Contest contest{row.owner.value_or(0), row.owner_name, row.contested_by.value_or(0),
                  row.contester_name};
  write_target_property(json, row, warning_of(row.manual_changes_warning, contest));
}

void append_listed_target_property(std::string& json, const store::ListedTargetPropertyRow& row) {
  ListedMembers members(row.members);
  ListedTargetProperty property{listed_property(row, members),
                                members.integer(),
                                members.maybe_integer(),
                                members.integer(),
                                members.text(),
                                members.maybe_text()};
  property.external_id = members.last();
  write_target_property(json, property, listed_warning(row.warnings));
}

void append_snapshot(std::string& json, const store::SnapshotsPageRow& row) {
  ListedMembers members(row.members);
  json::ObjectWriter object(json);
  append_sent(object.integer("id", row.id).key("data"), *row.data);
  object.text("hash", members.text()).integer("version", members.integer());
  std::string_view created_at = members.text();
  object.text("reason", members.last()).text("created_at", created_at).end();
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
