// A world behind the scripted host in which everything goes well: one source, one target, a
// property on either side. It answers each step as a store and a client would, so that a test only
// says where something goes wrong.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/store/store.h"
#include "tests/core/scripted_host.h"

namespace sm {

class ScriptedWorld {
 public:
  explicit ScriptedWorld(std::string body) : body_(std::move(body)) {}

  // Whether the log row of a batch whose outcome is unknown is found.
  bool committed = true;
  // Rows of the source, which lists stream.
  int64_t source_rows = 2500;
  size_t part_bytes = 256 * 1024;
  bool source_exists = true;
  bool tenant_suspended = false;
  // Of each row's data.
  std::function<int64_t(int64_t id)> bytes_of_row = [](int64_t) { return 2; };

  // The reply to each effect of a step.
  Step perform(ScriptedHost& host, const Step& step) {
    return host.resume(answer(step), step.head["effects"].size());
  }

  // What a stream has written.
  const std::string& written() const { return written_; }

 private:
  ScriptedReply answer(const Step& step) {
    std::string effect = step.effect();
    if (effect == "read_body") {
      std::string part = body_.substr(at_, part_bytes);
      at_ += part.size();
      return part.empty() ? body_end() : body_part(std::move(part));
    }
    if (effect == "seal") {
      return {Json::object({{"ok", true}, {"key_id", "k"}, {"sealed", "c2VhbGVk"}}), {}};
    }
    if (effect == "write") written_ += step.body();
    if (effect != "query" && effect != "batch") return ok();
    std::vector<Cells> results;
    for (size_t i = 0; i < step.statements(); ++i) results.push_back(cells(step, i));
    return rows(results);
  }

  Cells cells(const Step& step, size_t statement) const {
    uint32_t number = step.statement(statement);
    const Json& params = step.params(statement);
    if (number == store::import_differences({}, {}, {}).number) return all_new(step, params);
    if (number == store::source_property_rows({}, {}, {}, {}, 0, 0, 0).number) {
      return list(params[4].get<int64_t>(), params[5].get<int64_t>(), params[6].get<int64_t>());
    }
    if (number == store::source_property_few_rows({}, {}, {}, "", "", 0, 0, 0, 0, 0).number) {
      return list(params[7].get<int64_t>(), params[8].get<int64_t>(), params[9].get<int64_t>());
    }
    if (number == store::connector_by_id(Connector::source, {}, 0).number && !source_exists)
      return {};
    if (number == store::tenant_by_id({}).number) {
      return {{7, "Tenant", "t", tenant_suspended ? Json("t") : Json(nullptr)}};
    }
    if (number == store::log_by_sync_id({}, "").number)
      return committed ? Cells{{"{}", 4}} : Cells{};
    auto known = fixed().find(number);
    return known == fixed().end() ? Cells{} : known->second;
  }

  static const std::map<uint32_t, Cells>& fixed() {
    static const std::map<uint32_t, Cells> kFixed = [] {
      std::map<uint32_t, Cells> known;
      auto add = [&](const Statement& statement, Cells rows) {
        known.emplace(statement.number, std::move(rows));
      };
      add(store::key_owner("", ""), kGoodKey);
      add(store::tenant_usage({}, ""), {{0, 0, 0, 0, 0}});
      add(store::connector_by_id(Connector::source, {}, 0),
          {{1, "Source", "json", "{}", 2, "t", "t", 5}});
      add(store::connector_by_id(Connector::target, {}, 0),
          {{1, "Target", "internal", "{}", 2, "t", "t", 3}});
      add(store::properties_counted(Connector::source, {}, 0), {{2}});
      add(store::snapshots_counted(Connector::source, {}, 0, 0, 0, 0, 0), {{3}});
      add(store::fed_targets_counted({}, {}), {{1}});
      add(store::ids_reserved("", 0), {{100}});
      add(store::sync_target_state({}, {}), {{0, 1, 1, 0}});
      add(store::sync_source_ids({}, {}), {{1, 2}});
      add(store::sync_changed_counted({}, {}, {}), {{0}});
      add(store::sync_feeders({}, {}), {{"1:5"}});
      for (Scope scope : {Scope::all, Scope::changed}) {
        add(store::sync_classes(scope, {}, {}, {}, 0, 0, ""), {{"create", 1}, {"update", 1}});
      }
      add(store::target_property({}, {}, {}),
          {{5, "e", R"({"a":1})", "hash", 1, "t", "t", 1, 5, 0, nullptr, "synced", "t", 3, 1,
            nullptr, nullptr, nullptr}});
      add(store::edited_base({}, {}, {}), {{"hash"}});
      add(store::cleanup_extent({}, 0), {{2, 100}});
      add(store::cleanup_slice({}, "", 0), {{5, 9, 9, 9, 5, 9, 9, 9, 5, 9}});
      add(store::log_figures({}, {}), {{4, "{}"}});
      add(store::source_property({}, {}, {}),
          {{5, "e", R"({"a":1})", "hash", 1, "t", "t", 1, nullptr, 1}});
      add(store::key_by_id({}, 0), {{1, nullptr, "full", "t", 0, nullptr, nullptr}});
      add(store::tenants_state(), {{1}});
      return known;
    }();
    return kFixed;
  }

  static Cells all_new(const Step& step, const Json& params) {
    Json pack = Json::parse(step.sections[params[2]["section"].get<size_t>()], nullptr, false);
    return {{std::string(pack.size(), 'n')}};
  }

  Cells list(int64_t after, int64_t count, int64_t largest) const {
    Cells cells;
    for (int64_t id = after + 1; id <= after + count && id <= source_rows; ++id) {
      int64_t bytes = bytes_of_row(id);
      Json data = bytes <= largest ? Json("7B7D") : Json(nullptr);
      cells.push_back({id, bytes, data, "hash|1|t|t|1||" + std::to_string(id)});
    }
    return cells;
  }

  std::string body_;
  size_t at_ = 0;
  std::string written_;
};

}  // namespace sm
