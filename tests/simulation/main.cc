// Random histories of the core on SQLite in memory, compared with a model of api.md (README.md).
//
//   simulation [--histories=N] [--seed=S] [--jobs=J] [--coverage] [--steps] [--faults[=FLOW]]
//
// Histories S, S+1, … S+N-1, in J processes. The first one that fails is told with its steps, and
// `--seed=<its number> --histories=1` tells it again. With `--faults` every fault at every effect
// of every flow instead.
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "tests/simulation/fault_sweep.h"
#include "tests/simulation/history.h"

namespace simulation {
namespace {

struct Order {
  uint64_t histories = 1000;
  uint64_t seed = 1;
  uint64_t jobs = 1;
  bool coverage = false;
  bool faults = false;
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
  return number("--histories=", order.histories) || number("--seed=", order.seed) ||
         number("--jobs=", order.jobs);
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
    std::string failure = run_history(store, invariants, seed, order.telling, reached);
    found.times.add(reached);
    for (size_t line = 0; line < Coverage::kSize; ++line) {
      if (reached[line] > 0) found.histories.add(static_cast<Reached>(line));
    }
    if (failure.empty()) continue;
    std::printf("history %lu:\n", seed);
    Coverage unused;
    if (order.telling == Telling::nothing) {
      run_history(store, invariants, seed, Telling::steps, unused);
    }
    std::printf("FAILED: %s\nreplay: simulation --seed=%lu --histories=1\n", failure.c_str(), seed);
    return false;
  }
  return true;
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
      bool sent = write(ends[1], &share, sizeof share) == sizeof share;
      _exit(good && sent ? 0 : 1);
    }
    close(ends[1]);
    children.emplace_back(child, ends[0]);
  }
  bool good = true;
  for (auto [child, end] : children) {
    Found share;
    good = read(end, &share, sizeof share) == sizeof share && good;
    found.times.add(share.times);
    found.histories.add(share.histories);
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

void print(const Order& order, const Found& found) {
  std::printf("%-28s %12s %12s\n", "reached", "times", "histories");
  for (size_t line = 0; line < Coverage::kSize; ++line) {
    double share =
        100.0 * static_cast<double>(found.histories[line]) / static_cast<double>(order.histories);
    std::printf("%-28s %12lu %10.1f %%\n", std::string(Coverage::name(line)).c_str(),
                found.times[line], share);
  }
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
  simulation::Found found;
  bool good =
      order.jobs > 1 ? simulation::run_all(order, found) : simulation::run_share(order, 0, found);
  if (order.coverage) simulation::print(order, found);
  if (good)
    std::printf("%lu histories from seed %lu: all as api.md says\n", order.histories, order.seed);
  return good ? 0 : 1;
}
