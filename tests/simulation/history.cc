#include "tests/simulation/history.h"

#include <algorithm>
#include <deque>

#include "tests/simulation/generator.h"

namespace simulation {
namespace {

class History {
 public:
  History(World& world, Random& random, Temper temper, uint64_t operations)
      : world_(world),
        random_(random),
        generator_(random, temper),
        clients_(1 + random.below(4)),
        sources_(temper == Temper::any ? 2 : 3) {
    // Most histories are without faults: those find what goes wrong between clients.
    fault_percent_ = random_.chance(60) ? 0 : 1 + random_.below(6);
    world_.torn_queries = random_.chance(30);
    size_t some = temper == Temper::any ? 16 + random_.below(34) : 150 + random_.below(100);
    operations_ = operations == 0 ? some : operations;
  }

  void run() {
    for (size_t i = 0; i < kTenants; ++i) begin_tenant(i);
    while (going_on()) advance();
    while (world_.failure().empty() && any_busy()) advance();
    end();
  }

 private:
  static constexpr size_t kTenants = 2;

  bool going_on() const { return world_.failure().empty() && operations_ > 0; }
  bool any_busy() const {
    return std::any_of(clients_.begin(), clients_.end(), [](const auto& c) { return c.busy(); });
  }

  void begin_tenant(size_t tenant) {
    world_.add_tenant();
    Client client;
    auto run = [&](Action action) {
      if (world_.failure().empty()) world_.run(client, {tenant, std::move(action)});
    };
    for (size_t i = 0; i < sources_; ++i) run(generator_.new_connector(Which::source));
    run(generator_.new_connector(Which::target));
    const Tenant begun = world_.tenant(tenant);
    for (const auto& [id, source] : begun.sources) {
      run(generator_.new_import(id, {}));
    }
  }

  // One effect of one client, or a new operation of an idle one.
  void advance() {
    Client& client = clients_[random_.below(clients_.size())];
    world_.pass(static_cast<Moment>(random_.below(4)));
    if (!client.busy()) {
      if (operations_ == 0) return;
      --operations_;
      if (random_.chance(4)) world_.pass(static_cast<Moment>(random_.below(20)) * kDay);
      // No operation lasts for a year.
      if (random_.below(1000) < 10 && !any_busy()) world_.pass(400 * kDay);
      if (random_.chance(2)) world_.pass(static_cast<Moment>(random_.below(7)) * 60'000);
      begin(client);
      return;
    }
    Operation operation = *client.operation;
    Ended ended = world_.step(client, choose_fault(client));
    if (ended == Ended::not_yet || !world_.failure().empty()) return;
    check(operation);
    // A client that got no answer tries again, unless it gives up.
    bool again = ended != Ended::answered && random_.chance(75);
    if (again && !client.busy()) world_.start(client, operation);
  }

  void begin(Client& client) {
    Operation operation = generator_.next(world_);
    // What the sync does by its increments is compared with a look at everything.
    if (const auto* sync = std::get_if<Sync>(&operation.action); sync && random_.chance(50)) {
      world_.probe(operation.tenant, *sync, Reached::probe_full);
    }
    if (deletes_source(operation)) read_targets(operation.tenant);
    if (world_.failure().empty()) world_.start(client, std::move(operation));
  }

  // Lists before and after a source goes: rows that it fed look different, so the tags must, too.
  static bool deletes_source(const Operation& operation) {
    const auto* gone = std::get_if<DeleteConnector>(&operation.action);
    return gone != nullptr && gone->connector == Which::source;
  }

  void read_targets(size_t tenant) {
    const Tenant model = world_.tenant(tenant);
    Client client;
    for (const auto& [id, target] : model.targets) {
      if (!world_.failure().empty()) return;
      world_.run(client, {tenant, Read{Read::What::properties, Which::target, id}});
    }
  }

  Fault choose_fault(const Client& client) {
    if (!random_.chance(fault_percent_)) return Fault::none;
    std::vector<Fault> faults = faults_of(client.effect());
    return faults[random_.below(faults.size())];
  }

  void check(const Operation& operation) {
    if (deletes_source(operation)) read_targets(operation.tenant);
    bool writes = !std::holds_alternative<Read>(operation.action);
    constexpr size_t kOften = 20;
    if (writes && random_.chance(kOften)) world_.check_invariants();
  }

  // Everybody is done: all syncs one way or the other, all reads, and a clean-up that leaves
  // nothing behind. What retention dropped is missed by a sync that trusts its increments too far.
  void end() {
    for (size_t tenant = 0; tenant < kTenants; ++tenant) {
      probe_all(tenant, random_.chance(50) ? Reached::probe_incremental : Reached::probe_full);
      if (world_.failure().empty()) world_.read_all(tenant);
      if (world_.failure().empty()) world_.check_invariants();
    }
    if (world_.failure().empty()) world_.settle_down();
    for (size_t tenant = 0; tenant < kTenants; ++tenant) {
      probe_all(tenant, Reached::probe_incremental);
    }
  }

  void probe_all(size_t tenant, Reached how) {
    const Tenant model = world_.tenant(tenant);
    for (const auto& [source, unused] : model.sources) {
      for (const auto& [target, also_unused] : model.targets) {
        if (world_.failure().empty()) world_.probe(tenant, {source, target}, how);
      }
    }
  }

  World& world_;
  Random& random_;
  Generator generator_;
  std::deque<Client> clients_;
  size_t sources_;
  size_t fault_percent_ = 0;
  size_t operations_ = 0;
};

}  // namespace

std::string run_history(SqliteStore& store, Invariants& invariants, const HistoryOrder& order,
                        Coverage& coverage) {
  Savepoint savepoint(store);
  World world(store, invariants, Random(order.seed ^ 0xABCDEF), order.telling);
  Random random(order.seed);
  constexpr uint64_t kOneIsLong = 6;
  bool is_long = order.operations > 0 || order.seed % kOneIsLong == 0;
  Temper temper = is_long ? Temper::long_lived : Temper::any;
  History(world, random, temper, order.operations).run();
  coverage.add(world.coverage());
  return world.failure();
}

}  // namespace simulation
