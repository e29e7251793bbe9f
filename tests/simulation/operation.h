// What a client may ask for: each with the parameters that its HTTP request carries.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "tests/simulation/value.h"
#include "tests/simulation/wire.h"

namespace simulation {

enum class Which { source, target };

// `sources` or `targets`.
std::string plural(Which connector);

struct CreateConnector {
  Which connector;
  std::string name;
  std::string type;
  Json config;
};

struct ChangeConnector {
  Which connector;
  int64_t id;
  std::optional<std::string> name;
  std::optional<Json> config;  // a merge patch
};

struct DeleteConnector {
  Which connector;
  int64_t id;
};

// One item of an import: its value, and its text as it is sent. One with a defect fails; its value
// lacks what is broken.
struct Item {
  Json value;
  std::string text;
  bool broken = false;
};

struct Import {
  int64_t source;
  bool full = false;
  bool force = false;
  bool ndjson = false;
  std::vector<Item> items = {};
};

struct RemoveProperty {
  int64_t source;
  int64_t property;
};

struct Sync {
  int64_t source;
  int64_t target;
};

struct Edit {
  int64_t target;
  int64_t property;
  Json patch;
};

struct Cleanup {
  std::optional<int64_t> days;
};

struct Read {
  enum class What { connector, connectors, properties, property, snapshots, logs };
  What what;
  Which connector = Which::source;
  int64_t id = 0;
  int64_t property = 0;
  std::optional<int64_t> limit = {};
  std::optional<std::string> external_id = {};
  std::optional<bool> flag = {};  // removed, has_manual_changes
  std::optional<Moment> since = {};
};

// The host's clock wakes the core; nobody asks and nobody is answered. It is for all tenants.
struct Wake {
  Moment scheduled;
};

using Action = std::variant<CreateConnector, ChangeConnector, DeleteConnector, Import,
                            RemoveProperty, Sync, Edit, Cleanup, Read, Wake>;

struct Operation {
  size_t tenant;  // place of the one who asks
  Action action;
};

struct HttpCall {
  WireRequest request;
  std::string body;
};

HttpCall http_call(const Operation& operation, const std::string& key);

// For a person who replays a history.
std::string describe(const Operation& operation);

}  // namespace simulation
