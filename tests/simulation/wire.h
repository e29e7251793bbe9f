// Frames as a host makes and reads them (wasm/README.md), for a host that is the simulation.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tests/simulation/sqlite_store.h"
#include "tests/simulation/value.h"

namespace simulation {

using HeaderList = std::vector<std::pair<std::string, std::string>>;

struct WireRequest {
  std::string method;
  std::string target;  // path and query
  HeaderList headers;  // names in lower case
  bool has_body = false;
  bool arrived = false;
};

std::string start_frame(const WireRequest& request, const Json& vars, Moment now,
                        std::string_view random);

std::string wake_frame(Moment scheduled, const Json& vars, Moment now, std::string_view random);

// One step of the core. It owns its frame, into which statements look.
class Step {
 public:
  Step() = default;
  explicit Step(std::string frame);

  bool done() const { return head_["done"].get<bool>(); }
  size_t effects() const { return head_["effects"].size(); }
  const Json& effect(size_t at) const { return head_["effects"][at]; }
  std::string kind(size_t at) const { return effect(at)["effect"].get<std::string>(); }
  std::vector<StoreStatement> statements(size_t at) const;
  // What stands in the section that the effect names, empty where it names none.
  std::string_view section(size_t at) const;

 private:
  std::string frame_;
  Json head_;
  std::vector<std::pair<size_t, size_t>> sections_;  // offset and length
};

// The reply to one effect.
struct WireReply {
  Json head;
  std::vector<std::string> sections = {};
};

WireReply reply_ok();
WireReply reply_error(const std::string& kind);
WireReply reply_body(std::string part);
WireReply reply_body_end();
WireReply reply_results(StoreOutcome outcome);

std::string resume_frame(Moment now, std::vector<WireReply> replies);

}  // namespace simulation
