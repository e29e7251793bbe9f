// The log rows of what fails, through the machine: every route that writes, so that a new one is
// tested as soon as it stands in the route table.
#include <gtest/gtest.h>

#include <map>

#include "core/api/call.h"
#include "tests/core/scripted_world.h"

namespace sm {
namespace {

std::string body_of(const api::Route& route) {
  static const std::map<std::string_view, std::string> kBodies = {
      {"POST /sources", R"({"name":"n","type":"json"})"},
      {"POST /targets", R"({"name":"n","type":"internal"})"},
      {"PATCH /sources/{id}", R"({"name":"other"})"},
      {"PATCH /targets/{id}", R"({"name":"other"})"},
      {"PATCH /targets/{id}/properties/{prop_id}", R"({"data":{"a":2}})"},
      {"POST /sources/{id}/import", R"({"data":[{"id":1}]})"},
  };
  auto body = kBodies.find(std::string(route.method) + " " + std::string(route.path));
  return body == kBodies.end() ? "" : body->second;
}

std::string sync_type_of(const api::Route& route) {
  if (route.path.find("/import") != std::string_view::npos) return "import";
  if (route.path.substr(0, 6) == "/sync/") return "sync";
  return route.path == "/cleanup" ? "cleanup" : "manual";
}

std::string target_of(const api::Route& route) {
  std::string target(route.path);
  for (size_t at = target.find('{'); at != std::string::npos; at = target.find('{')) {
    target.replace(at, target.find('}') - at + 1, "1");
  }
  return target;
}

const std::string kToken = "a token of the administrator";
const std::string kTokenDigest = "282D3B691BD2EF95E3D1D39CEC31ACE7AB539E086BCB4AAADBA15A6D914A8B57";

struct Failed {
  int status = 0;
  std::vector<std::string> logged;  // the sync_type of each row
};

// Every batch fails, but for those that log.
Failed fail_batches(const api::Route& route, const std::string& error) {
  Failed failed;
  ScriptedHost host;
  ScriptedWorld world(body_of(route));
  world.committed = false;
  world.tenant_suspended = route.path.ends_with("/resume");
  const uint32_t log = store::failure_logged({}, "", "", {}, {}, "", "", "").number;
  host.set_secret("ADMIN_TOKEN", kToken.size(), kTokenDigest);
  Json headers = Json::array({Json::array({"x-api-key", std::string(40, 'k')}),
                              Json::array({"authorization", "Bearer " + kToken})});
  Step step = host.start_with(std::string(route.method), target_of(route), !body_of(route).empty(),
                              headers);
  for (int i = 0; i < 1000 && !step.done(); ++i) {
    bool logs = false;
    for (size_t s = 0; step.effect() == "batch" && s < step.statements(); ++s) {
      if (step.statement(s) != log) continue;
      logs = true;
      failed.logged.push_back(step.params(s)[2].get<std::string>());
    }
    bool fails_now = step.effect() == "batch" && !logs;
    step = fails_now ? host.resume(fails(error)) : world.perform(host, step);
  }
  failed.status = step.status();
  return failed;
}

bool writes(const api::Route& route) {
  bool of_tenant = route.access == api::Access::key || route.access == api::Access::administrator;
  return of_tenant && route.method != "GET";
}

TEST(FailureLog, EveryRouteThatWritesLogsWhatFailsOnOurConnector) {
  int walked = 0;
  for (const api::Route& route : api::routes()) {
    if (!writes(route)) continue;
    ++walked;
    for (const char* error : {"refused", "unavailable", "unknown_outcome", "overloaded"}) {
      Failed failed = fail_batches(route, error);
      EXPECT_GE(failed.status, 500) << route.method << " " << route.path << " " << error;
      EXPECT_EQ(failed.logged, std::vector{sync_type_of(route)})
          << route.method << " " << route.path << " " << error;
    }
  }
  EXPECT_GE(walked, 15);
}

TEST(FailureLog, EveryRouteThatWritesLogsThatItLostEveryRace) {
  for (const api::Route& route : api::routes()) {
    if (!writes(route)) continue;
    Failed failed = fail_batches(route, "unique:sync_logs.tenant_id,id");
    EXPECT_GE(failed.status, 409) << route.path;
    EXPECT_EQ(failed.logged, std::vector{sync_type_of(route)}) << route.path;
  }
}

}  // namespace
}  // namespace sm
