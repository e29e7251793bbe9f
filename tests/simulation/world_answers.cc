// Each answer is the model's.
#include <algorithm>

#include "tests/simulation/world.h"

namespace simulation {
namespace {

// Operations whose log row, or the row that they make, tells whether a batch of unknown outcome was
// committed.
bool finds_its_commit(const Action& action) {
  return std::holds_alternative<Import>(action) || std::holds_alternative<Sync>(action) ||
         std::holds_alternative<Edit>(action) || std::holds_alternative<RemoveProperty>(action) ||
         std::holds_alternative<CreateConnector>(action);
}

}  // namespace

void World::check_answer(Client& client) {
  const Response& response = client.response;
  const Action& action = client.operation->action;
  auto wrong = [&](const std::string& what) { fail(describe(*client.operation) + ": " + what); };
  if (response.broken || response.status == 503) {
    // Even then an operation finds out that it was committed.
    bool settled = client.committed && client.outcome.status < 400 && finds_its_commit(action) &&
                   client.faults == std::vector{Fault::unknown_done};
    if (!excused(client) || settled) wrong("answered " + response.body);
    if (!response.broken && response.header("retry-after").empty()) wrong("no Retry-After");
    return;
  }
  if (response.status == 400 && !client.faults.empty()) return;  // a body that was cut off
  // The log row of a refusal is written where the store answers.
  bool logged = client.logged_failure || !client.faults.empty();
  // Whose identities are worked out otherwise since, an import may say so.
  bool is_import = std::holds_alternative<Import>(action);
  bool refused = was_refused(client) || (is_import && excused(client));
  if (response.status == 409 && logged && refused) return;
  std::string difference;
  if (client.committed) {
    if (client.stage < stages(action)) return wrong("answered before it was done");
    difference = compare_answer(client.outcome, response);
    if (difference.empty()) return check_tag(client);
  }
  // What was read may have been true at any of the reads; what was written with an unknown outcome
  // is read again.
  // What the deletion of a connector counts is as of its reads, too.
  bool reads = !client.committed || !client.faults.empty() ||
               std::holds_alternative<DeleteConnector>(action);
  for (size_t i = 0; reads && i < client.seen.size(); ++i) {
    Coverage reached;
    std::string other = compare_read(client, *client.seen[i], reached);
    if (other.empty()) {
      if (!client.committed) coverage_.add(reached);
      return check_tag(client);
    }
    if (!client.committed) difference = other;
  }
  if ((torn_queries && lost_its_parent(client)) || compare_streamed(client)) return;
  wrong(difference);
}

// A list that is streamed page by page is true row by row: each as of one of the reads, by rising
// id, and none is missing that was there at all of them.
bool World::compare_streamed(const Client& client) {
  const auto* read = std::get_if<Read>(&client.operation->action);
  Json rows = Json::parse(client.response.body, nullptr, false);
  if (read == nullptr || read->limit || !rows.is_array()) return false;
  std::map<int64_t, std::vector<Json>> shown;
  size_t lists = 0;
  bool parent_gone = false;
  for (const auto& seen : client.seen) {
    Tenant copy = *seen;
    Outcome list = answer_read(copy, *read);
    parent_gone = parent_gone || list.status != 200;
    if (list.status != 200) continue;
    ++lists;
    for (Json& row : list.body) shown[row["id"].get<int64_t>()].push_back(std::move(row));
  }
  int64_t last = 0;
  for (const Json& row : rows) {
    int64_t id = row["id"].get<int64_t>();
    const std::vector<Json>& versions = shown[id];
    bool known = std::any_of(versions.begin(), versions.end(), [&](const Json& version) {
      return compare_row(version, row).empty();
    });
    if (!known || id <= last) return false;
    last = id;
    shown.erase(id);
  }
  return parent_gone || std::none_of(shown.begin(), shown.end(),
                                     [&](const auto& row) { return row.second.size() == lists; });
}

// A list whose parent was deleted between the look at it and the look at its rows is empty; that of
// the snapshots of a row that was hidden between goes on to what hid it.
bool World::lost_its_parent(const Client& client) {
  const auto* read = std::get_if<Read>(&client.operation->action);
  if (read == nullptr || client.response.status != 200) return false;
  if (client.response.body != "[]\n" && read->what != Read::What::snapshots) return false;
  auto status = [&](const Tenant& seen) {
    Tenant copy = seen;
    return answer_read(copy, *read).status;
  };
  return std::any_of(client.seen.begin(), client.seen.end(),
                     [&](const auto& seen) { return status(*seen) == 404; });
}

// What the operation would answer if it only read this state.
std::string World::compare_read(Client& client, const Tenant& seen, Coverage& reached) {
  Tenant copy = seen;
  Outcome outcome;
  const Action& action = client.operation->action;
  Applying at = applying(client, reached);
  const auto* edit = std::get_if<Edit>(&action);
  const auto* gone = std::get_if<RemoveProperty>(&action);
  if (client.committed && edit != nullptr) {
    outcome =
        answer_read(copy, {Read::What::property, Which::target, edit->target, edit->property});
  } else if (client.committed && gone != nullptr) {
    outcome =
        answer_read(copy, {Read::What::property, Which::source, gone->source, gone->property});
  } else {
    for (int stage = 0; stage < stages(action); ++stage) apply(copy, action, stage, at, outcome);
    if (outcome.writes && !client.committed) return "it wrote nothing";
  }
  return compare_answer(outcome, client.response);
}

// A strong entity tag stands for one answer, byte for byte; but that of a list is of the state
// before its first row was read, so lists count only where nobody came between.
void World::check_tag(const Client& client) {
  std::string tag = client.response.header("etag");
  if (tag.empty() || !client.undisturbed() || probing_) return;
  const auto* read = std::get_if<Read>(&client.operation->action);
  if (read == nullptr) return;
  std::string key = std::to_string(client.operation->tenant) + client.call.request.target + tag;
  auto [known, fresh] = tagged_.emplace(key, client.response.body);
  if (!fresh && known->second != client.response.body) {
    fail("one entity tag for two answers to " + describe(*client.operation) + ": " + known->second +
         " and " + client.response.body);
  }
}

}  // namespace simulation
