#include "tests/simulation/world.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

namespace simulation {
namespace {

constexpr Moment kStart = 1'768'473'000'000;

}  // namespace

World::World(SqliteStore& store, Invariants& invariants, Random random, Telling telling)
    : store_(store), invariants_(invariants), random_(random), telling_(telling), now_(kStart) {}

void World::fail(const std::string& what) {
  if (failure_.empty()) failure_ = what;
}

void World::print(const std::string& line) { std::printf("  %s\n", line.c_str()); }

void World::add_tenant() {
  // Signing up asks the store as any operation does, but there is no tenant yet to compare with.
  Client client;
  std::string key = "key-of-tenant-" + std::to_string(places_.size()) + "-0123456789abcdef";
  Json body = {{"name", "Tenant " + std::to_string(places_.size())}, {"api_key", key}};
  client.start({places_.size(), Read{Read::What::connectors}}, key, now_, random_);
  client.machine.close();
  client.call = {{"POST", "/tenants", {}, true}, body.dump()};
  static const Json kVars = {{"TENANT_SIGNUP", "open"},
                             {"TRUST_SCHEDULED_TIME", "true"},
                             {"MAX_REQUESTS_PER_SECOND", "0"},
                             {"MAX_SIGNUPS_PER_HOUR", "0"}};
  client.step =
      Step(client.machine.start(start_frame(client.call.request, kVars, now_, random_.bytes(64))));
  while (!client.step.done()) {
    client.replies.push_back(perform(client, Fault::none));
    client.resume(now_);
  }
  client.take_answer();
  Json created = Json::parse(client.response.body, nullptr, false);
  if (client.response.status != 201) return fail("sign-up: " + client.response.body);
  places_.push_back({created["id"].get<int64_t>(), key, std::make_shared<const Tenant>()});
}

void World::start(Client& client, Operation operation) {
  tell([&] { return describe(operation); });
  if (const auto* wake = std::get_if<Wake>(&operation.action)) {
    woken_as_of_ = std::max({woken_as_of_, wake->scheduled, now_});
  }
  client.start(std::move(operation), places_[operation.tenant].key, now_, random_);
}

Ended World::run(Client& client, Operation operation) {
  start(client, std::move(operation));
  Ended ended = Ended::not_yet;
  while (ended == Ended::not_yet && failure_.empty()) ended = step(client, Fault::none);
  return ended;
}

Ended World::step(Client& client, Fault fault) {
  bool silent = client.step.done() && client.step.effects() == 0;
  if (silent) return finish(client);
  std::string effect = client.effect();
  if (fault != Fault::none) {
    client.faults.push_back(fault);
    coverage_.add(Reached::fault);
    coverage_.add(fault_reached(effect, fault_name(fault)));
    tell([&] { return describe(*client.operation) + ": " + effect + ": " + fault_name(fault); });
  }
  if (fault == Fault::killed_before) {
    client.stop();
    return Ended::killed;
  }
  WireReply reply = perform(client, fault);
  if (!failure_.empty()) return Ended::not_yet;
  // A query that goes on with its next statement has no reply yet.
  if (reply.head.is_null()) return Ended::not_yet;
  client.replies.push_back(std::move(reply));
  if (fault == Fault::killed_after) {
    client.stop();
    return Ended::killed;
  }
  if (client.replies.size() < client.step.effects()) return Ended::not_yet;
  if (client.step.done()) return finish(client);
  client.resume(now_);
  return Ended::not_yet;
}

WireReply World::perform(Client& client, Fault fault) {
  std::string kind = client.effect();
  coverage_.add(effect_reached(kind));
  if (kind == "query" || kind == "batch") return perform_store(client, fault);
  if (fault == Fault::cancelled) return reply_error("cancelled");
  if (fault == Fault::cut_off) return reply_error("cut_off");
  if (fault == Fault::overloaded) return reply_error("overloaded");
  if (kind == "read_body") return client.next_body_part(random_);
  if (kind == "seal") {
    return {Json{{"ok", true}, {"key_id", "k"}, {"sealed", "c2VhbGVk"}}};
  }
  client.take_answer();
  return reply_ok();
}

WireReply World::perform_store(Client& client, Fault fault) {
  // Of one invocation, on D1 in production.
  constexpr size_t kMaxQueries = 1000;
  if (client.results.empty()) {
    client.queries += client.step.effect(client.replies.size())["statements"].size();
  }
  if (client.queries > kMaxQueries) fail("the store is asked more than D1 lets one invocation");
  if (fault != Fault::none) client.results.clear();
  if (fault == Fault::unavailable) return reply_error("unavailable");
  if (fault == Fault::overloaded) return reply_error("overloaded");
  if (fault == Fault::cancelled) return reply_error("cancelled");
  if (fault == Fault::unknown_not_done) return reply_error("unknown_outcome");
  if (client.effect() == "query") return perform_query(client);
  std::vector<StoreStatement> batch = client.step.statements(client.replies.size());
  StoreOutcome outcome = checked(store_.batch(batch));
  if (outcome.error.starts_with("guard:")) coverage_.add(Reached::lost_race);
  if (outcome.error.empty()) settle(client, batch);
  // What such a batch would have done is seen by later reads.
  see(client);
  if (fault == Fault::unknown_done) return reply_error("unknown_outcome");
  return reply_results(std::move(outcome));
}

// A query of several statements is one transaction on D1, but none is promised (wasm/README.md):
// where queries are torn, others come between the statements.
WireReply World::perform_query(Client& client) {
  std::vector<StoreStatement> statements = client.step.statements(client.replies.size());
  size_t next = client.results.size();
  if (torn_queries) statements = {statements[next]};
  size_t count = client.step.effect(client.replies.size())["statements"].size();
  StoreOutcome outcome = checked(store_.query(statements));
  for (const StoreResult& result : outcome.results) see_classes(result);
  see(client);
  if (!outcome.error.empty() || !torn_queries) return reply_results(std::move(outcome));
  client.results.push_back(std::move(outcome.results[0]));
  if (client.results.size() < count) return {nullptr};
  outcome.results = std::move(client.results);
  client.results.clear();
  return reply_results(std::move(outcome));
}

StoreOutcome World::checked(StoreOutcome outcome) {
  if (outcome.error == "refused") fail("the store refused a statement: " + outcome.message);
  return outcome;
}

// The classes that a sync found: rows of a name and a count.
void World::see_classes(const StoreResult& result) {
  if (result.columns.empty() || result.columns[0] != "class_name") return;
  constexpr size_t kCountBytes = 1 + sizeof(int64_t);
  for (size_t at = 0; at < result.cells.size();) {
    uint32_t length = 0;
    std::memcpy(&length, result.cells.data() + at + 1, sizeof length);
    at += 1 + sizeof length;
    coverage_.add(class_reached(result.cells.substr(at, length)));
    at += length + kCountBytes;
  }
}

void World::see(Client& client) {
  if (client.operation && client.operation->tenant < places_.size()) {
    client.seen.push_back(places_[client.operation->tenant].model);
  }
}

Ended World::finish(Client& client) {
  if (std::holds_alternative<Wake>(client.operation->action)) {
    // Without a fault nothing goes wrong but that two wakes meet in one run.
    bool complains = client.step.effects() > 0;
    bool lost = complains && client.step.effect(0).dump().find("lease_lost") != std::string::npos;
    if (complains && !lost && client.faults.empty()) {
      fail("a wake fails: " + client.step.effect(0).dump());
    }
    coverage_.add(Reached::woken);
    client.stop();
    return complains ? Ended::unavailable : Ended::answered;
  }
  int status = client.response.status;
  check_answer(client);
  tell([&] {
    constexpr size_t kShown = 300;
    return describe(*client.operation) + " -> " + std::to_string(status) + " " +
           client.response.body.substr(0, kShown);
  });
  client.stop();
  return status >= 500 ? Ended::unavailable : Ended::answered;
}

void World::probe(size_t tenant, Sync sync, Reached how) {
  Savepoint savepoint(store_);
  std::shared_ptr<const Tenant> model = places_[tenant].model;
  Coverage reached = coverage_;
  if (how == Reached::probe_full) store_.execute("DELETE FROM sync_pairs");
  tell([&] {
    return std::string(how == Reached::probe_full ? "probe without positions:" : "probe:");
  });
  probing_ = true;
  Client client;
  run(client, {tenant, sync});
  probing_ = false;
  coverage_ = reached;
  coverage_.add(how);
  places_[tenant].model = model;
}

void World::read_all(size_t tenant) {
  Client client;
  auto read = [&](const Read& what) {
    if (failure_.empty()) run(client, {tenant, what});
  };
  for (Which connector : {Which::source, Which::target}) read({Read::What::connectors, connector});
  std::shared_ptr<const Tenant> model = places_[tenant].model;
  for (const auto& [id, source] : model->sources) {
    read({Read::What::properties, Which::source, id});
    for (const auto& [external_id, row] : source.rows) {
      if (row.snapshots.empty()) continue;
      read({Read::What::snapshots, Which::source, id, row.id});
    }
  }
  for (const auto& [id, target] : model->targets) {
    read({Read::What::properties, Which::target, id});
    for (const auto& [external_id, row] : target.rows) {
      if (row.snapshots.empty()) continue;
      read({Read::What::snapshots, Which::target, id, row.id});
    }
  }
  read({Read::What::logs});
}

void World::check_invariants() {
  std::string broken = invariants_.check();
  if (!broken.empty()) fail("broken: " + broken);
}

void World::settle_down() {
  constexpr int kMostWakes = 30;
  constexpr Moment kLease = 3'600'001;
  auto waiting = [&] {
    return store_.read_integer(
        "SELECT (SELECT count(*) FROM runs WHERE state = 'running') "
        "+ (SELECT count(*) FROM imports) + (SELECT count(*) FROM staging) "
        "+ (SELECT count(*) FROM sources WHERE deleted_at IS NOT NULL) "
        "+ (SELECT count(*) FROM targets WHERE deleted_at IS NOT NULL)");
  };
  // A wake by hand may have put the next night off by as much.
  constexpr int kDays = 30;
  now_ += kDays * kDay + kLease;
  Client client;
  for (int i = 0; i < kMostWakes && failure_.empty(); ++i) {
    run(client, {0, Wake{now_}});
    if (waiting() == 0) break;
    now_ += kLease;
  }
  if (waiting() != 0) fail("a run, an import or a deletion is still under way after many wakes");
  for (size_t i = 0; i < places_.size(); ++i) {
    if (failure_.empty()) run(client, {i, Cleanup{0}});
    if (failure_.empty()) check_clean(i);
  }
}

void World::check_clean(size_t tenant) {
  std::string broken = invariants_.check_clean(places_[tenant].id);
  if (!broken.empty()) fail("broken: " + broken);
}

}  // namespace simulation
