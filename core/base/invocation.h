// One invocation: the inputs that came with it, and the door through which its coroutines ask for
// effects.
//
// `perform` suspends the coroutine until the machine (machine.h) has the replies. Only one
// coroutine runs at a time and only one waits: an invocation is one logical thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/arena.h"
#include "core/base/effect.h"
#include "core/base/limits.h"
#include "core/base/random.h"
#include "core/base/task.h"

namespace sm {

// What the core learns of a secret of the deployment: its size, and a digest where it works with
// it. What is asked of secrets stands in flow/deployment.h.
struct SecretDigest {
  std::string name;
  size_t bytes = 0;
  std::string digest = {};
};

struct Deployment {
  std::map<std::string, std::string, std::less<>> vars;
  std::vector<SecretDigest> secrets;
  std::string store_kind;

  // The variable's text, empty where it is not set.
  std::string_view var(std::string_view name) const {
    auto found = vars.find(name);
    return found == vars.end() ? std::string_view() : std::string_view(found->second);
  }
};

// Something that must be true before anything that a store answers counts: `guard` aborts the call
// that it begins as `guard:<column>`, and the answer to the request is what `refusal` says of that
// column, where it is one of the condition's. Behind the guard `question` is asked: where it gives
// a row, `when_found` is put off until the answer is sent.
struct Condition {
  Statement guard;
  std::optional<Error> (*refusal)(std::string_view column);
  Statement question;
  Statement when_found;
};

class Invocation : public TaskHost {
 public:
  Invocation(Deployment deployment, Time now, std::string seed)
      : deployment_(std::move(deployment)), now_(now), random_(std::move(seed)) {}

  const Deployment& deployment() const { return deployment_; }
  Time now() const { return now_; }
  Arena& arena() { return arena_; }

  // `bytes` fresh random bytes, grown from those that came with the start.
  std::string random(size_t bytes) { return random_.take(bytes); }

  // Statements that the store was given so far (kMaxQueries).
  size_t queries() const { return queries_; }
  // Whether so many are left that work which has another step may take it.
  bool may_go_on() const { return queries_ + kQueriesToEnd <= kMaxQueries; }

  // Who may call is settled by the first call of the store that a flow makes anyway: until then the
  // conditions are open, and store.h lets each call begin with them. Once refused, nothing is asked
  // of the store any more, and whatever the flow gave is thrown away (serve.cc).
  void require(Condition condition) { open_conditions_.push_back(std::move(condition)); }
  const std::vector<Condition>& open_conditions() const { return open_conditions_; }
  void conditions_held() { open_conditions_.clear(); }
  void refuse(Error error) { refusal_ = std::move(error); }
  const std::optional<Error>& refusal() const { return refusal_; }

  // Every batch from here on has this turn; of those that name the same one, so many at once.
  void take_turns(std::string turn, int64_t at_once) {
    turn_ = std::move(turn);
    at_once_ = at_once;
  }
  const std::string& turn() const { return turn_; }
  int64_t at_once() const { return at_once_; }

  // A write that nobody waits for, and that is nothing lost where it fails: it goes behind the
  // answer (serve.cc).
  void put_off(Statement write) { put_off_.push_back(std::move(write)); }
  std::vector<Statement> take_put_off() { return std::exchange(put_off_, {}); }

  struct Performed {
    Invocation& invocation;
    bool await_ready() const noexcept { return false; }
    [[gnu::noinline]] void await_suspend(std::coroutine_handle<> waiting) noexcept {
      invocation.waiting_ = waiting;
    }
    std::vector<Reply> await_resume() { return std::move(invocation.replies_); }
  };
  // Replies come in the order of the effects.
  Performed perform(std::vector<Effect> effects) {
    SM_CHECK(!waiting_);
    effects_ = std::move(effects);
    for (const Effect& effect : effects_) queries_ += statements_of(effect);
    return {*this};
  }

  // The machine's side.
  std::vector<Effect> take_effects() { return std::move(effects_); }
  void resume_with(std::vector<Reply> replies, Time now) {
    SM_CHECK(waiting_ && !replies.empty());
    replies_ = std::move(replies);
    now_ = now;
    run_next(std::exchange(waiting_, nullptr));
    run_ready();
  }

 private:
  static size_t statements_of(const Effect& effect) {
    if (const auto* query = std::get_if<Query>(&effect)) return query->statements.size();
    if (const auto* batch = std::get_if<Batch>(&effect)) return batch->statements.size();
    return 0;
  }

  Deployment deployment_;
  Time now_;
  RandomBytes random_;
  size_t queries_ = 0;
  Arena arena_;
  std::vector<Effect> effects_;
  std::vector<Reply> replies_;
  std::coroutine_handle<> waiting_ = nullptr;
  std::vector<Condition> open_conditions_;
  std::optional<Error> refusal_;
  std::vector<Statement> put_off_;
  std::string turn_;
  int64_t at_once_ = 0;
};

}  // namespace sm
