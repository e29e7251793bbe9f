// Makes up operations. Few identities and few values, so that the same data meets itself on both
// connectors and every line of the tables is reached; each history has a temper of its own, since a
// history that does a bit of everything never does much of anything.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tests/simulation/operation.h"
#include "tests/simulation/random.h"
#include "tests/simulation/world.h"

namespace simulation {

enum class Temper { any, long_lived };

class Generator {
 public:
  Generator(Random& random, Temper temper);

  Operation next(const World& world);
  // The connectors that a tenant begins with.
  CreateConnector new_connector(Which connector);
  Import new_import(int64_t source, const std::map<std::string, SourceRow>& known);

 private:
  enum class Kind { import, remove, sync, edit, change, erase, create, cleanup, read, wake, count };

  Action make(Kind kind, const World& world, const Tenant& tenant);
  Action make_edit(const Tenant& tenant, int64_t target);
  const TargetRow& some_row(const std::map<std::string, TargetRow>& rows);
  Action make_removal(const Tenant& tenant, int64_t source);
  Action make_change(const Tenant& tenant);
  Read make_read(const World& world, const Tenant& tenant);
  Json source_config();
  Json target_config();
  Item new_item(const std::string& external_id);
  Item odd_item();
  std::string messy(const Json& value);
  // An id of the tenant's, or now and then of another's, or of nobody's.
  template <typename Connectors>
  int64_t some_id(const Connectors& connectors, const Connectors& others);

  Random& random_;
  std::vector<size_t> weights_;
  size_t identities_;
  size_t values_;
  size_t odd_percent_;
  size_t full_percent_;
  const char* break_ =
      "\n";  // white space between members; a line of NDJSON has no other line in it
};

}  // namespace simulation
