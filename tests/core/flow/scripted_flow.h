// One flow by itself, without frames, routes or a store: a test sees the effects that it asks for,
// and answers each as a store or a client would.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/invocation.h"
#include "core/base/result.h"
#include "core/store/store.h"
#include "tests/core/scripted_host.h"

namespace sm {

inline constexpr Time kFlowStart{ScriptedHost::kNowMs};

// What all scripted flows share, whatever they give.
class FlowScript {
 public:
  Invocation& in() { return in_; }

  // The effect that is asked for. Flows ask for one at a time, but for seals.
  const Effect& effect() const { return effects_.at(0); }
  bool asks_query() const { return std::holds_alternative<Query>(effect()); }
  bool asks_batch() const { return std::holds_alternative<Batch>(effect()); }
  const std::vector<Statement>& statements() const {
    const auto* query = std::get_if<Query>(&effect());
    return query != nullptr ? query->statements : std::get<Batch>(effect()).statements;
  }
  // Whether the statement stands in the query or batch that is asked for, whatever its parameters.
  bool asks(const Statement& wanted) const { return find(wanted) != nullptr; }
  const Statement* find(const Statement& wanted) const {
    for (const Statement& statement : statements()) {
      if (statement.number == wanted.number) return &statement;
    }
    return nullptr;
  }

  // Replies. Statements behind those that are given have no rows.
  void rows(std::vector<Cells> results = {}) {
    Reply reply;
    results.resize(statements().size());
    for (const Cells& cells : results) {
      auto owner = std::make_shared<const std::string>(encode_cells(cells));
      RawResult result;
      result.columns = cells.empty() ? 0 : cells[0].size();
      result.rows = cells.size();
      result.changes = static_cast<int64_t>(cells.size());
      result.cells = *owner;
      result.owner = std::move(owner);
      reply.results.push_back(std::move(result));
    }
    resume(std::move(reply));
  }
  void fails(ErrorCode code, std::string detail = {}) {
    Reply reply;
    reply.error = Error{code, std::move(detail)};
    resume(std::move(reply));
  }
  void done() { resume(Reply()); }

  // The time that the next reply comes with.
  Time now = kFlowStart;

 protected:
  FlowScript() : in_(deployment(), kFlowStart, std::string(64, '\7')) {}
  void see_effects() { effects_ = in_.take_effects(); }

 private:
  static Deployment deployment() {
    Deployment deployment;
    deployment.secrets = {{"API_KEY_PEPPER", 32, std::string(64, 'p')}, {"ENCRYPTION_KEY", 32}};
    deployment.store_kind = "scripted";
    return deployment;
  }

  void resume(Reply reply) {
    std::vector<Reply> replies;
    replies.push_back(std::move(reply));
    in_.resume_with(std::move(replies), now);
    see_effects();
  }

  Invocation in_;
  std::vector<Effect> effects_;
};

template <typename T>
class ScriptedFlow : public FlowScript {
 public:
  explicit ScriptedFlow(const std::function<Task<T>(Invocation&)>& begin) : task_(begin(in())) {
    task_.start();
    in().run_ready();
    see_effects();
  }

  bool ended() const { return task_.done(); }
  T result() { return task_.take(); }

 private:
  Task<T> task_;
};

}  // namespace sm
