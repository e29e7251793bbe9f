// The floor: the product's own core, in one native process on a SQLite file, without HTTP,
// WebAssembly, host or D1. It sends the same statements in the same batches, since it is the same
// code; what stands between its times and the product's is what hosts and platform cost.
//
//   floor ROUNDS STEP[,BODY…] …      (floor.ts calls it; STEP as in steps.ts, bodies from files)
//
// Prints one JSON object: for each step the milliseconds of every round, those of them inside
// SQLite, and what the answers counted in the last round. FLOOR_STATEMENTS=1 adds, on stderr, what
// each statement cost in each step. The database is a new file in TMPDIR with the journal settings
// of D1's workerd; each round works on a source and a target of its own. Any failure ends the
// program with 1.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "core/machine.h"
#include "tests/bench/native_store.h"

namespace {

using sm::bench::NativeResult;
using sm::bench::NativeStatement;
using sm::bench::NativeStore;
using Json = nlohmann::ordered_json;

constexpr size_t kBodyPartBytes = 256 * 1024;

[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "floor: %s\n", what.c_str());
  std::exit(1);
}

void append_section(std::string& frame, std::string_view bytes) {
  auto length = static_cast<uint32_t>(bytes.size());
  frame.append(reinterpret_cast<const char*>(&length), sizeof length);
  frame += bytes;
}

// A frame of the core, taken apart; sections look into it.
struct Frame {
  Json head;
  std::vector<std::string_view> sections;

  explicit Frame(const std::string& bytes) {
    uint32_t length = 0;
    std::memcpy(&length, bytes.data(), sizeof length);
    head = Json::parse(bytes.substr(sizeof length, length), nullptr, false);
    for (size_t at = sizeof length + length; at < bytes.size(); at += sizeof length + length) {
      std::memcpy(&length, bytes.data() + at, sizeof length);
      sections.emplace_back(bytes.data() + at + sizeof length, length);
    }
  }
  std::string_view section(const Json& effect) const {
    return sections.at(effect.at("section").get<size_t>());
  }
};

struct Answer {
  int status = 0;
  std::string body;
};

// Performs what the core asks for, one invocation at a time.
class Host {
 public:
  explicit Host(NativeStore& store) : store_(store) {}

  void set_key(const std::string& key) { key_ = key; }

  Answer request(const std::string& method, const std::string& target, std::string_view body = {}) {
    body_ = body;
    answer_ = {};
    const std::string* frame = &machine_.start(start_frame(method, target));
    while (true) {
      Frame step(*frame);
      Json replies = Json::array();
      std::vector<std::string> sections;
      for (const Json& effect : step.head["effects"]) {
        replies.push_back(perform(step, effect, sections));
      }
      if (step.head["done"].get<bool>()) break;
      std::string resumed;
      append_section(resumed, Json::object({{"time", now()}, {"replies", replies}}).dump());
      for (const std::string& section : sections) append_section(resumed, section);
      frame = &machine_.resume(std::move(resumed));
    }
    machine_.close();
    return std::move(answer_);
  }

 private:
  static int64_t now() {
    auto since = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::milliseconds>(since).count();
  }

  std::string start_frame(const std::string& method, const std::string& target) {
    Json headers = Json::array();
    if (!key_.empty()) headers.push_back(Json::array({"x-api-key", key_}));
    if (!body_.empty()) {
      headers.push_back(Json::array({"content-type", "application/json"}));
      headers.push_back(Json::array({"content-length", std::to_string(body_.size())}));
    }
    Json head = {
        {"kind", "request"},
        {"method", method},
        {"target", target},
        {"headers", headers},
        {"body", !body_.empty()},
        {"arrived", true},
        {"address", "192.0.2.1"},
        {"time", now()},
        {"request_id", "floor"},
        {"store", "sqlite"},
        {"vars", {{"TENANT_SIGNUP", "open"}}},
        {"secrets", {{"API_KEY_PEPPER", {{"bytes", 32}, {"digest", std::string(128, 'A')}}}}}};
    std::string frame;
    append_section(frame, head.dump());
    std::string random(64, '\0');
    std::memcpy(random.data(), &++requests_, sizeof requests_);
    append_section(frame, random);
    return frame;
  }

  Json perform(const Frame& step, const Json& effect, std::vector<std::string>& sections) {
    auto kind = effect.at("effect").get<std::string>();
    if (kind == "query") return run(step, effect, false, sections);
    if (kind == "batch") return run(step, effect, true, sections);
    if (kind == "read_body") return read_body(sections);
    if (kind == "respond") answer_.status = effect.at("status").get<int>();
    if (kind == "abort") fail("the core cut an answer off");
    if (kind == "log") {
      std::fprintf(stderr, "floor: the core logs: %s\n",
                   effect.at("message").get<std::string>().c_str());
    }
    if ((kind == "respond" || kind == "write") && effect.contains("section")) {
      answer_.body += step.section(effect);
    }
    if (kind == "seal") return {{"ok", false}, {"error", "no_key"}};
    return {{"ok", true}};
  }

  Json read_body(std::vector<std::string>& sections) {
    if (body_.empty()) return {{"ok", true}, {"end", true}};
    sections.emplace_back(body_.substr(0, kBodyPartBytes));
    body_.remove_prefix(sections.back().size());
    return {{"ok", true}, {"section", sections.size() - 1}};
  }

  Json run(const Frame& step, const Json& effect, bool atomic, std::vector<std::string>& sections) {
    std::vector<NativeStatement> statements;
    for (const Json& given : effect.at("statements")) {
      NativeStatement statement{given.at("statement").get<size_t>(), {}};
      for (const Json& param : given.at("params")) {
        if (param.is_null()) {
          statement.params.emplace_back(nullptr);
        } else if (param.is_number_integer()) {
          statement.params.emplace_back(param.get<int64_t>());
        } else if (param.is_string()) {
          statement.params.emplace_back(std::string_view(param.get_ref<const std::string&>()));
        } else {
          statement.params.emplace_back(step.section(param));
        }
      }
      statements.push_back(std::move(statement));
    }
    std::vector<NativeResult> results = store_.run(statements, atomic);
    if (results.size() != statements.size()) fail(store_.error());
    Json list = Json::array();
    for (NativeResult& result : results) {
      list.push_back({{"columns", result.columns},
                      {"rows", result.rows},
                      {"section", sections.size()},
                      {"rows_read", 0},
                      {"rows_written", 0},
                      {"changes", result.changes}});
      sections.push_back(std::move(result.cells));
    }
    return {{"ok", true}, {"results", std::move(list)}};
  }

  NativeStore& store_;
  sm::Machine machine_;
  std::string key_;
  std::string_view body_;
  Answer answer_;
  uint64_t requests_ = 0;
};

Json expect(int status, const Answer& answer) {
  if (answer.status != status) fail(std::to_string(answer.status) + " " + answer.body);
  return Json::parse(answer.body, nullptr, false);
}

void migrate(NativeStore& store) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(SM_SCHEMA)) {
    files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  for (const auto& file : files) {
    std::ostringstream text;
    text << std::ifstream(file).rdbuf();
    store.execute(text.str());
  }
}

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) fail("cannot read " + path);
  return std::move(text).str();
}

struct Step {
  std::string name;
  std::vector<std::string> bodies;  // files
  Json ms = Json::array();
  Json sql_ms = Json::array();
  std::map<std::string, int64_t> counts;
};

std::vector<Step> read_steps(int argc, char** argv) {
  std::vector<Step> steps;
  for (int i = 2; i < argc; ++i) {
    std::istringstream words(argv[i]);
    Step step;
    std::getline(words, step.name, ',');
    for (std::string file; std::getline(words, file, ',');) step.bodies.push_back(file);
    steps.push_back(std::move(step));
  }
  return steps;
}

// Where a round works.
struct Pair {
  std::string source, target;
};

Pair create_pair(Host& host) {
  auto create = [&](const char* path, const char* type) {
    std::string body = R"({"name":"Floor","type":")" + std::string(type) + "\"}";
    return expect(201, host.request("POST", path, body)).at("id").dump();
  };
  return {create("/sources", "json"), create("/targets", "internal")};
}

int64_t count_rows(std::string_view list) {
  constexpr std::string_view kMember = "\"sync_status\":";
  int64_t rows = 0;
  for (size_t at = 0; (at = list.find(kMember, at)) != list.npos; at += kMember.size()) ++rows;
  return rows;
}

void run_step(Host& host, NativeStore& store, const Pair& pair, Step& step) {
  // As probe.ts does: no step pays for what the one before it left in the journal.
  store.execute(
      "PRAGMA wal_checkpoint(RESTART); CREATE TABLE IF NOT EXISTS bench_filler (data BLOB);"
      "INSERT INTO bench_filler (data) VALUES (NULL)");
  double ms = 0;
  double sql_before = store.ms();
  step.counts = {{"created", 0}, {"updated", 0}, {"skipped", 0}};
  auto timed = [&](const std::string& method, const std::string& path, std::string_view body = {}) {
    auto started = std::chrono::steady_clock::now();
    Answer answer = host.request(method, path, body);
    std::chrono::duration<double, std::milli> taken = std::chrono::steady_clock::now() - started;
    ms += taken.count();
    return answer;
  };
  auto add = [&](const Answer& answer) {
    Json stats = expect(200, answer).at("stats");
    for (auto& [name, count] : step.counts) count += stats.at(name).get<int64_t>();
  };
  if (step.name == "list") {
    Answer answer = timed("GET", "/targets/" + pair.target + "/properties");
    if (answer.status != 200) fail(answer.body);
    step.counts["skipped"] = count_rows(answer.body);
  } else if (step.bodies.empty()) {
    add(timed("POST", "/sync/" + pair.source + "/" + pair.target));
  }
  for (const std::string& file : step.bodies) {
    std::string body = read_file(file);
    add(timed("POST", "/sources/" + pair.source + "/import", body));
  }
  step.ms.push_back(ms);
  step.sql_ms.push_back(store.ms() - sql_before);
}

// What each statement cost since `before`, the dearest first.
void print_costs(const std::string& step, const NativeStore& store,
                 std::map<std::string, NativeStore::Cost>& before) {
  auto now = store.costs();
  std::vector<std::pair<double, std::string>> lines;
  for (const auto& [sql, cost] : now) {
    double ms = cost.ms - before[sql].ms;
    char text[64];
    std::snprintf(text, sizeof text, "%9.2f ms %5zu×  ", ms, cost.runs - before[sql].runs);
    if (ms > 0.05) lines.emplace_back(ms, text + sql);
  }
  std::sort(lines.rbegin(), lines.rend());
  std::fprintf(stderr, "-- %s\n", step.c_str());
  for (const auto& [ms, line] : lines) std::fprintf(stderr, "%s\n", line.c_str());
  before = std::move(now);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) fail("usage: floor ROUNDS STEP[,BODY…] …");
  int rounds = std::atoi(argv[1]);
  std::vector<Step> steps = read_steps(argc, argv);
  bool print_statements = std::getenv("FLOOR_STATEMENTS") != nullptr;
  std::string folder =
      (std::filesystem::temp_directory_path() / "sync-manager-floor-XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) fail("no temporary folder");
  {
    NativeStore store(folder + "/floor.sqlite");
    migrate(store);
    Host host(store);
    host.set_key(expect(201, host.request("POST", "/tenants", R"({"name":"Floor"})"))
                     .at("api_key")
                     .get<std::string>());
    std::map<std::string, NativeStore::Cost> costs;
    for (int round = 0; round < rounds; ++round) {
      Pair pair = create_pair(host);
      costs = store.costs();
      for (Step& step : steps) {
        run_step(host, store, pair, step);
        if (print_statements) print_costs(step.name, store, costs);
      }
    }
  }
  std::filesystem::remove_all(folder);
  Json printed = Json::object();
  for (const Step& step : steps) {
    printed[step.name] = {{"ms", step.ms}, {"sql_ms", step.sql_ms}, {"counts", step.counts}};
  }
  std::printf("%s\n", printed.dump().c_str());
}
