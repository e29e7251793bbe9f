#include "tests/simulation/client.h"

#include <algorithm>

namespace simulation {

const char* fault_name(Fault fault) {
  constexpr const char* kNames[] = {"none",
                                    "unavailable",
                                    "overloaded",
                                    "cancelled",
                                    "cut_off",
                                    "killed before",
                                    "killed after",
                                    "unknown outcome, done",
                                    "unknown outcome, not done"};
  return kNames[static_cast<size_t>(fault)];
}

std::vector<Fault> faults_of(const std::string& effect) {
  using enum Fault;
  if (effect == "query") return {unavailable, overloaded, cancelled, killed_before};
  if (effect == "batch") {
    return {unavailable, overloaded, killed_before, killed_after, unknown_done, unknown_not_done};
  }
  if (effect == "read_body") return {cancelled, cut_off, killed_before};
  if (effect == "write") return {cancelled, killed_before};
  if (effect == "reserve_memory") return {overloaded, killed_before};
  return {killed_before};
}

std::string Response::header(const std::string& name) const {
  for (const auto& [key, value] : headers) {
    if (key == name) return value;
  }
  return {};
}

void Client::start(Operation given, const std::string& key, Moment now, Random& random) {
  operation = std::move(given);
  call = http_call(*operation, key);
  // A client that sends as it goes along does not tell the length, and is waited for.
  call.request.arrived = true;
  if (call.request.has_body) call.request.arrived = random.chance(50);
  if (call.request.has_body && call.request.arrived) {
    call.request.headers.emplace_back("content-length", std::to_string(call.body.size()));
  }
  static const Json kVars = {{"TENANT_SIGNUP", "open"},
                             {"TRUST_SCHEDULED_TIME", "true"},
                             {"MAX_REQUESTS_PER_SECOND", "0"},
                             {"MAX_SIGNUPS_PER_HOUR", "0"}};
  moments = {now};
  if (const auto* wake = std::get_if<Wake>(&operation->action)) {
    std::string frame = wake_frame(wake->scheduled, kVars, now, random.bytes(64));
    step = Step(machine.start(frame));
    return;
  }
  step = Step(machine.start(start_frame(call.request, kVars, now, random.bytes(64))));
}

void Client::resume(Moment now) {
  moments.push_back(now);
  step = Step(machine.resume(resume_frame(now, std::move(replies))));
  replies.clear();
}

void Client::stop() {
  machine.close();
  operation.reset();
  body_at = 0;
  step = Step();
  replies.clear();
  results.clear();
  queries = 0;
  response = {};
  moments.clear();
  seen.clear();
  stage = 0;
  outcome = {};
  committed = false;
  logged_failure = false;
  faults.clear();
}

bool Client::undisturbed() const {
  return std::all_of(seen.begin(), seen.end(),
                     [&](const auto& state) { return state == seen.front(); });
}

WireReply Client::next_body_part(Random& random) {
  constexpr size_t kMostBytes = 256 * 1024;
  constexpr size_t kFewBytes = 60;
  size_t left = call.body.size() - body_at;
  if (left == 0) return reply_body_end();
  // Small bodies come in pieces that end anywhere, large ones in those that a host makes.
  size_t most = call.body.size() > kMostBytes || random.chance(50) ? kMostBytes : kFewBytes;
  size_t size = most == kMostBytes ? std::min(left, most) : 1 + random.below(std::min(left, most));
  body_at += size;
  return reply_body(call.body.substr(body_at - size, size));
}

void Client::take_answer() {
  size_t at = replies.size();
  std::string kind = effect();
  if (kind == "respond") {
    const Json& respond = step.effect(at);
    response.status = respond["status"].get<int>();
    for (const Json& header : respond["headers"]) {
      response.headers.emplace_back(header[0].get<std::string>(), header[1].get<std::string>());
    }
  }
  if (kind == "respond" || kind == "write") response.body += step.section(at);
  if (kind == "abort") response.broken = true;
}

}  // namespace simulation
