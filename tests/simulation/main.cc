// Random histories of the core on SQLite in memory, compared with a model of api.md (README.md).
//
//   simulation [--histories=N] [--operations=N] [--seed=S] [--jobs=J] [--coverage] [--steps]
//   simulation --faults[=FLOW] | --year
//
// Histories S, S+1, … S+N-1, in J processes. The first one that fails is told with its steps, and
// `--seed=<its number> --histories=1` tells it again.
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <string>
#include <vector>

#include "tests/simulation/fault_sweep.h"
#include "tests/simulation/history.h"
#include "tests/simulation/year.h"

namespace simulation {
namespace {

struct Order {
  uint64_t histories = 1000;
  uint64_t operations = 0;  // of a history; 0: some dozens, each as it comes
  uint64_t seed = 1;
  uint64_t jobs = 1;
  bool coverage = false;
  bool faults = false;
  bool year = false;
  std::string flow;
  Telling telling = Telling::nothing;
};

bool read_option(const char* given, Order& order) {
  auto number = [&](const char* name, uint64_t& value) {
    size_t length = std::strlen(name);
    if (std::strncmp(given, name, length) != 0) return false;
    value = std::strtoull(given + length, nullptr, 10);
    return true;
  };
  if (std::strcmp(given, "--coverage") == 0) return order.coverage = true;
  if (std::strcmp(given, "--year") == 0) return order.year = true;
  constexpr std::string_view kFaults = "--faults";
  if (std::string_view(given).starts_with(kFaults)) {
    order.faults = true;
    if (given[kFaults.size()] == '=') order.flow = given + kFaults.size() + 1;
    return true;
  }
  if (std::strcmp(given, "--steps") == 0) {
    order.telling = Telling::steps;
    return true;
  }
  return number("--histories=", order.histories) || number("--operations=", order.operations) ||
         number("--seed=", order.seed) || number("--jobs=", order.jobs);
}

// What one process found: how many histories reached each line, and how often.
struct Found {
  Coverage times;
  Coverage histories;
};

bool run_share(const Order& order, uint64_t job, Found& found) {
  SqliteStore store(SM_SCHEMA);
  Invariants invariants(store);
  for (uint64_t i = job; i < order.histories; i += order.jobs) {
    Coverage reached;
    uint64_t seed = order.seed + i;
    if (order.telling == Telling::steps) std::printf("history %lu\n", seed);
    HistoryOrder history{seed, order.operations, order.telling};
    std::string failure = run_history(store, invariants, history, reached);
    found.times.add(reached);
    for (const auto& [name, times] : reached.counts()) found.histories.add(name);
    if (failure.empty()) continue;
    std::printf("history %lu:\n", seed);
    Coverage unused;
    if (order.telling == Telling::nothing) {
      history.telling = Telling::steps;
      run_history(store, invariants, history, unused);
    }
    std::printf("FAILED: %s\nreplay: simulation --seed=%lu --histories=1 --operations=%lu\n",
                failure.c_str(), seed, order.operations);
    return false;
  }
  return true;
}

// One line for each name: what a process found, as it goes through a pipe.
std::string packed(const Found& found) {
  std::string lines;
  for (const auto& [name, times] : found.times.counts()) {
    lines +=
        std::to_string(times) + " " + std::to_string(found.histories[name]) + " " + name + "\n";
  }
  return lines;
}

void unpack(const std::string& lines, Found& found) {
  std::istringstream all(lines);
  uint64_t times = 0;
  uint64_t histories = 0;
  std::string name;
  while (all >> times >> histories && all.get() == ' ' && std::getline(all, name)) {
    found.times.add(name, times);
    found.histories.add(name, histories);
  }
}

// Until the other end is closed.
std::string read_all(int end) {
  std::string all;
  std::array<char, 4096> part;
  ssize_t length;
  while ((length = read(end, part.data(), part.size())) > 0) {
    all.append(part.data(), static_cast<size_t>(length));
  }
  return all;
}

// Forks the shares; each child writes what it found into a pipe.
bool run_all(const Order& order, Found& found) {
  std::vector<std::pair<pid_t, int>> children;
  for (uint64_t job = 0; job < order.jobs; ++job) {
    int ends[2];
    if (pipe(ends) != 0) return false;
    pid_t child = fork();
    if (child == 0) {
      Found share;
      bool good = run_share(order, job, share);
      std::fflush(stdout);
      std::string lines = packed(share);
      bool sent = write(ends[1], lines.data(), lines.size()) == static_cast<ssize_t>(lines.size());
      _exit(good && sent ? 0 : 1);
    }
    close(ends[1]);
    children.emplace_back(child, ends[0]);
  }
  bool good = true;
  for (auto [child, end] : children) {
    unpack(read_all(end), found);
    int status = 0;
    waitpid(child, &status, 0);
    good = good && status == 0;
    close(end);
  }
  return good;
}

int sweep(const Order& order) {
  SqliteStore store(SM_SCHEMA);
  Invariants invariants(store);
  SweepFound found = sweep_faults(store, invariants, order.flow, order.telling);
  if (!found.failure.empty()) {
    std::printf("FAILED: %s\n", found.failure.c_str());
    return 1;
  }
  std::printf("%zu faults at %zu effects of %zu flows: nothing half done\n", found.trials,
              found.effects, found.flows);
  return 0;
}

int live_a_year() {
  SqliteStore store(SM_SCHEMA);
  std::string failure = run_year(store);
  std::printf("%s\n", failure.empty() ? "a year of many tenants: ids in proportion to rows"
                                      : ("FAILED: " + failure).c_str());
  return failure.empty() ? 0 : 1;
}

// What was reached, and whether that is everything.
bool check_coverage(const Order& order, const Found& found) {
  std::printf("%-40s %12s %12s\n", "reached", "times", "histories");
  for (const auto& [name, times] : found.times.counts()) {
    double share =
        100.0 * static_cast<double>(found.histories[name]) / static_cast<double>(order.histories);
    std::printf("%-40s %12lu %10.1f %%\n", name.c_str(), times, share);
  }
  bool all = true;
  for (const std::string& name : must_be_reached()) {
    if (found.times[name] > 0) continue;
    std::printf("FAILED: never reached: %s\n", name.c_str());
    all = false;
  }
  return all;
}

}  // namespace
}  // namespace simulation

int main(int argc, char** argv) {
  simulation::Order order;
  for (int i = 1; i < argc; ++i) {
    if (simulation::read_option(argv[i], order)) continue;
    std::fprintf(stderr, "simulation: no such option: %s\n", argv[i]);
    return 2;
  }
  if (order.faults) return simulation::sweep(order);
  if (order.year) return simulation::live_a_year();
  simulation::Found found;
  bool good =
      order.jobs > 1 ? simulation::run_all(order, found) : simulation::run_share(order, 0, found);
  if (order.coverage) good = simulation::check_coverage(order, found) && good;
  if (good)
    std::printf("%lu histories from seed %lu: all as api.md says\n", order.histories, order.seed);
  return good ? 0 : 1;
}
