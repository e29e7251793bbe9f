// A world of tenants: the store, the model of each tenant, a clock, and clients whose effects the
// caller interleaves. After each effect that wrote, the store must say what the model says before
// the operation or after it, and nothing in between; each answer must be the model's.
//
// The model applies an operation when its batch commits, so the order of commits is the serial
// order that is checked. What was only read must be true of one of the moments of its reads.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/simulation/client.h"
#include "tests/simulation/comparison.h"
#include "tests/simulation/coverage.h"
#include "tests/simulation/invariants.h"
#include "tests/simulation/model.h"
#include "tests/simulation/random.h"
#include "tests/simulation/sqlite_store.h"

namespace simulation {

// How an operation ended for the client.
enum class Ended { not_yet, answered, unavailable, killed };

// How much is told while a world runs.
enum class Telling { nothing, steps };

// A copy goes its own way from where it was taken, as long as the store is brought back with it.
class World {
 public:
  World(SqliteStore& store, Invariants& invariants, Random random, Telling telling);

  // Through the API. What comes before the first operation is not checked.
  void add_tenant();

  void start(Client& client, Operation operation);
  // Performs the next effect of the client's operation, or a part of it.
  Ended step(Client& client, Fault fault);
  // All of an operation, with nobody beside it.
  Ended run(Client& client, Operation operation);

  // Whether a sync of the pair, as it is now and with its position forgotten, does what the model
  // says. Leaves no trace.
  void probe(size_t tenant, Sync sync, Reached how);
  // Everything that the API shows of a tenant.
  void read_all(size_t tenant);
  void check_invariants();
  void check_clean(size_t tenant);
  // Lets leases pass and wakes the core until it has nothing to do: then no run, no import and no
  // deletion is under way, and after a clean-up nothing waits for one.
  void settle_down();

  void pass(Moment milliseconds) { now_ += milliseconds; }
  Moment now() const { return now_; }
  const Tenant& tenant(size_t place) const { return *places_[place].model; }
  size_t tenants() const { return places_.size(); }
  Random& random() { return random_; }
  Coverage& coverage() { return coverage_; }
  SqliteStore& store() { return store_; }
  // Whether others may come between the statements of one query.
  bool torn_queries = false;
  // What is wrong, empty while nothing is.
  const std::string& failure() const { return failure_; }
  void fail(const std::string& what);
  // One line of the story, made only where it is told.
  template <typename Line>
  void tell(Line line) const {
    if (telling_ == Telling::steps) print(line());
  }

 private:
  struct Place {
    int64_t id;
    std::string key;
    std::shared_ptr<const Tenant> model;
  };

  static void print(const std::string& line);
  WireReply perform(Client& client, Fault fault);
  WireReply perform_store(Client& client, Fault fault);
  WireReply perform_query(Client& client);
  StoreOutcome checked(StoreOutcome outcome);
  void see(Client& client);
  void see_classes(const StoreResult& result);
  void settle(Client& client, const std::vector<StoreStatement>& batch);
  bool was_refused(const Client& client);
  bool settle_failure(Client& client);
  bool excused(const Client& client) const;
  void settle_wake(const Client& client, const Wake& wake, Place& place, RetentionStep step,
                   Slice slice);
  Applying applying(const Client& client, Coverage& coverage);
  Applying applying(const Client& client, Coverage& coverage, const Place& place);
  Ended finish(Client& client);
  void check_answer(Client& client);
  std::string compare_read(Client& client, const Tenant& seen, Coverage& reached);
  static bool lost_its_parent(const Client& client);
  static bool compare_streamed(const Client& client);
  void check_tag(const Client& client);

  SqliteStore& store_;
  Invariants& invariants_;
  Random random_;
  Telling telling_;
  std::vector<Place> places_;
  std::shared_ptr<DataPool> pool_ = std::make_shared<DataPool>();
  UsedIds used_;
  bool probing_ = false;
  Moment now_;
  Moment woken_as_of_ = 0;  // the latest moment that a wake was meant for
  // The answer that each entity tag stood for, by path.
  std::map<std::string, std::string> tagged_;
  Coverage coverage_;
  std::string failure_;
};

// Empty where an answer is what was expected.
std::string compare_answer(const Outcome& expected, const Response& response);
std::string compare_row(const Json& expected, const Json& found);

}  // namespace simulation
