#include "tests/simulation/fault_sweep.h"

#include <functional>
#include <set>

namespace simulation {
namespace {

// The worlds of the sweep have one tenant with sources 1 and 2 and targets 1 (keeps what was
// removed) and 2 (hides it). Target 1 holds rows in every state that a sync can meet.
constexpr int64_t kSource = 1;
constexpr int64_t kOther = 2;
constexpr int64_t kKeeper = 1;
constexpr int64_t kHider = 2;

Import import_of(int64_t source, const std::string& ids, int value, bool full = false) {
  Import import{source, full};
  for (char id : ids) {
    Json item = {{"external_id", std::string(1, id)}, {"v", value}};
    import.items.push_back({item, item.dump()});
  }
  return import;
}

Import joined(Import first, const Import& second) {
  first.items.insert(first.items.end(), second.items.begin(), second.items.end());
  return first;
}

// Runs one operation to its end, or stops with what is wrong.
void must(World& world, Action action) {
  Client client;
  if (!world.failure().empty()) return;
  if (world.run(client, {0, std::move(action)}) != Ended::answered) world.fail("the setting fails");
}

Edit edit_of(const World& world, int64_t target, const std::string& id, int value) {
  const Tenant& tenant = world.tenant(0);
  return {target, tenant.targets.at(target).rows.at(id).id, Json{{"v", value}}};
}

RemoveProperty removal_of(const World& world, const std::string& id) {
  return {kSource, world.tenant(0).sources.at(kSource).rows.at(id).id};
}

void furnish(World& world) {
  world.add_tenant();
  must(world, CreateConnector{Which::source, "Alpha", "json", Json::object()});
  must(world, CreateConnector{Which::source, "Omega", "api", Json::object()});
  must(world, CreateConnector{Which::target, "Keeper", "internal", Json::object()});
  must(world, CreateConnector{Which::target, "Hider", "internal", {{"on_removed", "delete"}}});
  must(world, import_of(kSource, "abcdefghijk", 0));
  must(world, import_of(kOther, "abxyz", 1));
  for (int64_t target : {kKeeper, kHider}) {
    must(world, Sync{kSource, target});
    must(world, Sync{kOther, target});
    must(world, edit_of(world, target, "c", 5));
    must(world, edit_of(world, target, "d", 5));
    must(world, edit_of(world, target, "e", 5));
    must(world, edit_of(world, target, "f", 1));
  }
  world.pass(kDay);
  // b, d and f changed, e and g are gone, h will not be touched, l is new.
  must(world, joined(import_of(kSource, "achijk", 0, true), import_of(kSource, "bdfl", 1)));
}

// What is asked for, on what beside the furnished world.
struct Flow {
  const char* name;
  std::function<Action(World&)> begin;
};

Action after(World& world, std::vector<Action> before, Action action) {
  for (Action& earlier : before) must(world, std::move(earlier));
  return action;
}

std::vector<Flow> flows_of_connectors() {
  return {
      {"create source",
       [](World&) {
         return CreateConnector{Which::source, "New", "json", {{"max_removed_ratio", 0.5}}};
       }},
      {"create target",
       [](World&) { return CreateConnector{Which::target, "New", "website", Json::object()}; }},
      {"change source",
       [](World&) {
         return ChangeConnector{Which::source, kSource, "Renamed", Json{{"id_field", "/key"}}};
       }},
      {"change target",
       [](World&) {
         return ChangeConnector{
             Which::target, kKeeper, {}, Json{{"conflict_policy", "source_wins"}}};
       }},
      {"delete source", [](World&) { return DeleteConnector{Which::source, kSource}; }},
      {"delete target", [](World&) { return DeleteConnector{Which::target, kHider}; }},
  };
}

std::vector<Flow> flows_of_sources() {
  return {
      {"import at once", [](World&) { return import_of(kSource, "amn", 2); }},
      {"import unchanged", [](World&) { return import_of(kOther, "ab", 1); }},
      {"import repeated", [](World&) { return import_of(kOther, "abxyz", 1); }},
      {"import returning",
       [](World&) { return joined(import_of(kSource, "e", 0), import_of(kSource, "g", 3)); }},
      {"import staged",
       [](World&) {
         return joined(import_of(kSource, "abcdefghijklmnop", 3), import_of(kSource, "ab", 4));
       }},
      {"import lines",
       [](World&) {
         Import import = import_of(kSource, "abcdeghmno", 4);
         import.ndjson = true;
         return import;
       }},
      {"import full", [](World&) { return import_of(kOther, "ax", 1, true); }},
      {"import full, staged", [](World&) { return import_of(kSource, "abcdfhijopqrst", 3, true); }},
      {"import refused", [](World&) { return import_of(kSource, "a", 0, true); }},
      {"import forced",
       [](World&) {
         Import import = import_of(kSource, "a", 0, true);
         import.force = true;
         return import;
       }},
      {"remove property", [](World& world) { return removal_of(world, "h"); }},
  };
}

std::vector<Flow> flows_of_targets() {
  return {
      {"sync into nothing",
       [](World& world) {
         return after(world, {CreateConnector{Which::target, "Empty", "internal", Json::object()}},
                      Sync{kSource, 3});
       }},
      {"sync and keep", [](World&) { return Sync{kSource, kKeeper}; }},
      {"sync and hide", [](World&) { return Sync{kSource, kHider}; }},
      {"sync again",
       [](World& world) { return after(world, {Sync{kSource, kKeeper}}, Sync{kSource, kKeeper}); }},
      {"sync that takes over",
       [](World& world) { return after(world, {removal_of(world, "a")}, Sync{kOther, kKeeper}); }},
      {"sync that revives",
       [](World& world) {
         return after(world, {Sync{kSource, kHider}, import_of(kSource, "g", 1)},
                      Sync{kSource, kHider});
       }},
      {"edit", [](World& world) { return edit_of(world, kKeeper, "a", 7); }},
      {"edit back", [](World& world) { return edit_of(world, kKeeper, "c", 0); }},
      {"read properties",
       [](World&) { return Read{Read::What::properties, Which::target, kKeeper}; }},
      {"read logs", [](World&) { return Read{Read::What::logs}; }},
      {"clean up",
       [](World& world) {
         world.pass(kDay);
         return after(world, {Sync{kSource, kHider}}, Cleanup{0});
       }},
  };
}

std::vector<Flow> all_flows() {
  std::vector<Flow> flows = flows_of_connectors();
  for (Flow& flow : flows_of_sources()) flows.push_back(std::move(flow));
  for (Flow& flow : flows_of_targets()) flows.push_back(std::move(flow));
  // More rows than the answer to the deletion is followed by slices of.
  flows.push_back({"deletion goes on", [](World& world) {
                     must(world, DeleteConnector{Which::source, kSource});
                     constexpr Moment kNobodyWorks = 120'000;
                     world.pass(kNobodyWorks);
                     return Wake{world.now()};
                   }});
  flows.push_back({"retention", [](World& world) {
                     must(world, Sync{kSource, kHider});
                     world.pass(40 * kDay);
                     return Wake{world.now()};
                   }});
  return flows;
}

// The kinds of the effects that the flow has when all goes well.
std::vector<std::string> effects_of(World world, const Action& action) {
  std::vector<std::string> effects;
  Client client;
  world.start(client, {0, action});
  for (Ended ended = Ended::not_yet; ended == Ended::not_yet && world.failure().empty();) {
    effects.push_back(client.effect());
    ended = world.step(client, Fault::none);
  }
  return effects;
}

// A client that gets no answer asks again. A run that died is taken up when its lease has passed.
void try_again(World& world, const Action& action) {
  constexpr Moment kLease = 3'600'001;
  bool wakes = std::holds_alternative<Wake>(action);
  if (wakes) world.pass(kLease);
  constexpr int kTries = 3;
  for (int i = 0; i < kTries && world.failure().empty(); ++i) {
    Client client;
    Action again = wakes ? Action(Wake{world.now()}) : action;
    if (world.run(client, {0, again}) == Ended::answered && !wakes) return;
  }
  if (!wakes) world.fail("it does not recover");
}

// What the retention promises: the run is over, once, and nothing is left of what was given up.
void check_at_rest(World& world) {
  if (!world.failure().empty()) return;
  world.check_invariants();
  for (int64_t source : {kSource, kOther}) {
    for (int64_t target : {kKeeper, kHider}) {
      const Tenant& tenant = world.tenant(0);
      if (!tenant.sources.contains(source) || !tenant.targets.contains(target)) continue;
      if (world.failure().empty()) world.probe(0, {source, target}, Reached::probe_incremental);
    }
  }
  if (world.failure().empty()) world.read_all(0);
  world.settle_down();
}

std::string try_fault(World world, const Action& action, size_t at, Fault fault) {
  Client client;
  world.start(client, {0, action});
  Ended ended = Ended::not_yet;
  for (size_t i = 0; ended == Ended::not_yet && world.failure().empty(); ++i) {
    ended = world.step(client, i == at ? fault : Fault::none);
  }
  world.check_invariants();
  try_again(world, action);
  check_at_rest(world);
  return world.failure();
}

}  // namespace

SweepFound sweep_faults(SqliteStore& store, Invariants& invariants, const std::string& only,
                        Telling telling) {
  SweepFound found;
  Savepoint furnished(store);
  World world(store, invariants, Random(1), telling);
  furnish(world);
  found.failure = world.failure();
  std::set<std::string> kinds;
  for (const Flow& flow : all_flows()) {
    if (!found.failure.empty() || (!only.empty() && only != flow.name)) continue;
    Savepoint begun(store);
    World before = world;
    Action action = flow.begin(before);
    found.failure = before.failure();
    std::vector<std::string> effects;
    {
      Savepoint counted(store);
      effects = effects_of(before, action);
    }
    ++found.flows;
    kinds.insert(effects.begin(), effects.end());
    for (size_t at = 0; at < effects.size(); ++at, ++found.effects) {
      for (Fault fault : faults_of(effects[at])) {
        if (!found.failure.empty()) return found;
        Savepoint trial(store);
        ++found.trials;
        found.failure = try_fault(before, action, at, fault);
        if (found.failure.empty()) continue;
        found.failure = std::string(flow.name) + ", " + fault_name(fault) + " at effect " +
                        std::to_string(at) + " (" + effects[at] + "): " + found.failure;
      }
    }
  }
  for (const std::string& kind : effect_kinds()) {
    bool missed = only.empty() && found.failure.empty() && !kinds.contains(kind);
    if (missed) found.failure = "no flow has the effect " + kind;
  }
  return found;
}

}  // namespace simulation
