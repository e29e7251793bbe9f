#include "tests/simulation/coverage.h"

#include "sync/classes.h"
#include "tests/simulation/client.h"

namespace simulation {
namespace {

std::string name_of(Reached what) {
  constexpr std::string_view kNames[] = {
#define SIMULATION_NAME(name) #name,
      SIMULATION_REACHED(SIMULATION_NAME)
#undef SIMULATION_NAME
  };
  return std::string(kNames[static_cast<size_t>(what)]);
}

// No operation accepts a difference; tests/schema/decisions.test.ts puts such rows into the store.
bool is_out_of_reach(const sm::sync::ClassLine& line) { return line.of == sm::sync::Class::accept; }

}  // namespace

// Configurations of the simulation have no secrets, so nothing is sealed.
const std::vector<std::string>& effect_kinds() {
  static const std::vector<std::string> kKinds = {"query", "batch", "read_body",     "respond",
                                                  "write", "end",   "reserve_memory"};
  return kKinds;
}

void Coverage::add(Reached what, uint64_t times) { add(name_of(what), times); }

void Coverage::add(const std::string& name, uint64_t times) {
  if (times > 0) counts_[name] += times;
}

void Coverage::add(const Coverage& other) {
  for (const auto& [name, times] : other.counts_) add(name, times);
}

uint64_t Coverage::operator[](const std::string& name) const {
  auto found = counts_.find(name);
  return found == counts_.end() ? 0 : found->second;
}

std::string effect_reached(const std::string& effect) { return "effect " + effect; }

std::string fault_reached(const std::string& effect, std::string_view fault) {
  return "fault at " + effect + ": " + std::string(fault);
}

std::string class_reached(std::string_view name) { return "class " + std::string(name); }

std::vector<std::string> must_be_reached() {
  std::vector<std::string> names;
  for (size_t i = 0; i < static_cast<size_t>(Reached::count); ++i) {
    names.push_back(name_of(static_cast<Reached>(i)));
  }
  for (const std::string& effect : effect_kinds()) {
    names.push_back(effect_reached(effect));
    for (Fault fault : faults_of(effect)) names.push_back(fault_reached(effect, fault_name(fault)));
  }
  for (const sm::sync::ClassLine& line : sm::sync::kTable) {
    bool counted = line.write != sm::sync::RowWrite::nothing;
    if (counted && !is_out_of_reach(line)) names.push_back(class_reached(line.name));
  }
  return names;
}

}  // namespace simulation
