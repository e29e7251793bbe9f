#include "tests/simulation/year.h"

#include "core/base/limits.h"
#include "tests/simulation/client.h"

namespace simulation {
namespace {

constexpr size_t kTenants = 50;
constexpr size_t kDays = 12;
constexpr size_t kProperties = 24;
constexpr Moment kStart = 1'768'473'000'000;

// Counters, and how many rows were made with their ids. Nothing is deleted in this year, but for
// rows of imports under way; a row that comes back counts as created.
struct Kind {
  const char* name;
  const char* rows;
};
constexpr Kind kKinds[] = {
    {"tenants", "SELECT count(*) FROM tenants"},
    {"api_keys", "SELECT count(*) FROM api_keys"},
    {"sources", "SELECT count(*) FROM sources"},
    {"targets", "SELECT count(*) FROM targets"},
    {"imports", "SELECT count(*) FROM sync_logs WHERE sync_type = 'import'"},
    {"runs", "SELECT count(*) FROM runs"},
    {"property_data", "SELECT count(*) FROM property_data"},
    {"source_properties", "SELECT count(*) FROM source_properties"},
    {"target_properties",
     "SELECT sum(stats ->> 'created') FROM sync_logs WHERE sync_type = 'sync'"},
    {"source_snapshots", "SELECT count(*) FROM source_snapshots"},
    {"target_snapshots", "SELECT count(*) FROM target_snapshots"},
};

class Year {
 public:
  explicit Year(SqliteStore& store) : store_(store) {}

  std::string run() {
    for (size_t tenant = 0; tenant < kTenants; ++tenant) begin(tenant);
    for (size_t day = 1; day <= kDays && failure_.empty(); ++day) {
      now_ += kDay;
      for (size_t tenant = 0; tenant < kTenants; ++tenant) live(tenant, day);
      check();
    }
    return failure_;
  }

 private:
  static std::string key_of(size_t tenant) {
    return "key-of-tenant-" + std::to_string(tenant) + "-0123456789abcdef0123456789";
  }

  // Connectors are numbered as they are created: one source and two targets a tenant.
  static int64_t source_of(size_t tenant) { return static_cast<int64_t>(tenant + 1); }
  static int64_t keeper_of(size_t tenant) { return static_cast<int64_t>(2 * tenant + 1); }
  static int64_t hider_of(size_t tenant) { return keeper_of(tenant) + 1; }

  void begin(size_t tenant) {
    Json body = {{"name", "Tenant"}, {"api_key", key_of(tenant)}};
    send({{"POST", "/tenants", {}, true}, body.dump()});
    act(tenant, CreateConnector{Which::source, "Source", "json", Json::object()});
    act(tenant, CreateConnector{Which::target, "Keeper", "internal", Json::object()});
    act(tenant, CreateConnector{Which::target, "Hider", "internal", {{"on_removed", "delete"}}});
    act(tenant, list(tenant, 0, kProperties));
    sync(tenant);
  }

  // A property comes, some change, one goes or comes back; now and then the whole list is sent, in
  // which all changed.
  void live(size_t tenant, size_t day) {
    constexpr size_t kWhole = 10;
    size_t known = kProperties + day - 1;
    if ((day + tenant) % kWhole == 0) {
      act(tenant, list(tenant, day, known + 1));
    } else {
      Import few{source_of(tenant)};
      for (size_t at : {known, day % known, (day * 7 + 3) % known})
        few.items.push_back(item(at, day));
      act(tenant, few);
    }
    if (day % 3 == 0) act(tenant, gone(tenant, day % known));
    sync(tenant);
  }

  Import list(size_t tenant, size_t day, size_t count) {
    Import import{source_of(tenant)};
    for (size_t at = 0; at < count; ++at) import.items.push_back(item(at, day));
    return import;
  }

  static Item item(size_t at, size_t day) {
    // Not in the order in which they come.
    std::string external_id = std::to_string(at * 37 % 1000) + "-" + std::to_string(at);
    Json value = {{"external_id", external_id}, {"day", day}};
    return {value, value.dump()};
  }

  RemoveProperty gone(size_t tenant, size_t at) {
    int64_t source = source_of(tenant);
    return {source, store_.read_integer("SELECT id FROM source_properties WHERE source_id = ?1 "
                                        "ORDER BY id LIMIT 1 OFFSET ?2",
                                        {source, static_cast<int64_t>(at)})};
  }

  void sync(size_t tenant) {
    act(tenant, Sync{source_of(tenant), keeper_of(tenant)});
    act(tenant, Sync{source_of(tenant), hider_of(tenant)});
  }

  void act(size_t tenant, Action action) {
    send(http_call({tenant, std::move(action)}, key_of(tenant)));
  }

  // What a host does, without anything that fails.
  void send(HttpCall call) {
    if (!failure_.empty()) return;
    static const Json kVars = {{"TENANT_SIGNUP", "open"},
                               {"TRUST_SCHEDULED_TIME", "true"},
                               {"MAX_REQUESTS_PER_SECOND", "0"},
                               {"MAX_SIGNUPS_PER_HOUR", "0"}};
    Client client;
    client.call = std::move(call);
    client.step = Step(
        client.machine.start(start_frame(client.call.request, kVars, now_, random_.bytes(64))));
    while (true) {
      while (client.replies.size() < client.step.effects())
        client.replies.push_back(perform(client));
      if (client.step.done()) break;
      client.resume(now_);
    }
    if (client.response.status >= 300) failure_ = client.response.body;
  }

  WireReply perform(Client& client) {
    std::string kind = client.effect();
    size_t at = client.replies.size();
    if (kind == "query") return reply_results(store_.query(client.step.statements(at)));
    if (kind == "batch") return reply_results(store_.batch(client.step.statements(at)));
    if (kind == "read_body") return client.next_body_part(random_);
    client.take_answer();
    return reply_ok();
  }

  void check() {
    for (const Kind& kind : kKinds) {
      std::string taken_sql =
          "SELECT next - 1 FROM counters WHERE name = '" + std::string(kind.name) + "'";
      int64_t taken = store_.read_integer(taken_sql.c_str());
      int64_t rows = store_.read_integer(kind.rows);
      if (taken <= sm::kMostIdsPerRow * rows) continue;
      failure_ = std::string(kind.name) + ": " + std::to_string(taken) + " ids for " +
                 std::to_string(rows) + " rows";
      return;
    }
  }

  SqliteStore& store_;
  Random random_{1};
  Moment now_ = kStart;
  std::string failure_;
};

}  // namespace

std::string run_year(SqliteStore& store) {
  Savepoint savepoint(store);
  return Year(store).run();
}

}  // namespace simulation
