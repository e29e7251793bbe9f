// One client with one operation under way: the core's machine, the step that it waits in, and what
// the world knows of it. What a host does for a request, done effect by effect.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/machine.h"
#include "tests/simulation/model.h"
#include "tests/simulation/operation.h"
#include "tests/simulation/random.h"
#include "tests/simulation/wire.h"

namespace simulation {

// What goes wrong with one effect.
enum class Fault {
  none,
  unavailable,       // nothing was done
  overloaded,        // nothing was done
  cancelled,         // the client left: reads and writes of bodies, and queries
  cut_off,           // the body ends too early
  killed_before,     // the invocation is gone before the effect
  killed_after,      // and behind it
  unknown_done,      // the connection was lost behind a commit
  unknown_not_done,  // and before one
};

const char* fault_name(Fault fault);
// Those that can happen to an effect of this kind.
std::vector<Fault> faults_of(const std::string& effect);

struct Response {
  int status = 0;
  HeaderList headers = {};
  std::string body = {};
  bool broken = false;

  std::string header(const std::string& name) const;
};

struct Client {
  // Begins an operation; the machine stands in its first step then.
  void start(Operation given, const std::string& key, Moment now, Random& random);
  // Hands the replies of a step over, once there is one for each effect.
  void resume(Moment now);
  // Ends the operation, finished or not.
  void stop();

  bool busy() const { return operation.has_value(); }
  // Whether nobody changed the tenant between the reads so far.
  bool undisturbed() const;
  // The kind of the next effect; a last step may have none.
  std::string effect() const { return step.effects() == 0 ? "" : step.kind(replies.size()); }
  // The part of the request's body that the next `read_body` gives.
  WireReply next_body_part(Random& random);
  // Takes an effect that answers the request.
  void take_answer();

  sm::Machine machine;
  std::optional<Operation> operation;
  HttpCall call;
  size_t body_at = 0;
  Step step;
  std::vector<WireReply> replies;    // to the effects of the step so far
  std::vector<StoreResult> results;  // of a query that is performed statement by statement
  size_t queries = 0;                // statements that the operation has sent
  Response response;

  std::vector<Moment> moments;                      // of each frame
  std::vector<std::shared_ptr<const Tenant>> seen;  // the tenant as of each read
  int stage = 0;
  Outcome outcome;
  bool committed = false;
  bool logged_failure = false;
  std::vector<Fault> faults;
};

}  // namespace simulation
