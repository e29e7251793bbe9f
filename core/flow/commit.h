// How a flow writes. What it read is a hypothesis by the time it writes, so its batch begins with
// guards: one that fails says that another writer came first, and the flow reads again and decides
// anew. A batch whose outcome is unknown is settled by the log row that it carries.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/base/invocation.h"
#include "core/base/result.h"
#include "core/flow/log.h"
#include "core/store/rows.h"

namespace sm::flow {

// Counts the races that one flow loses.
class Races {
 public:
  explicit Races(const Invocation& in) : in_(in) {}

  // Whether an attempt ended because another writer came first, and the flow is to start again. It
  // gives up after kMaxLostRaces, or where the store takes no more statements of this request than
  // another attempt needs: the error is then the answer.
  bool lost(const Error& error);
  template <typename T>
  bool lost(const Result<T>& attempt) {
    return !attempt.ok() && lost(attempt.error());
  }

  int count() const { return count_; }

 private:
  const Invocation& in_;
  int count_ = 0;
};

// A batch that is in the store.
struct Committed {
  // Of each statement. None where the batch's outcome was unknown, and its log row was found.
  std::optional<std::vector<store::Rows>> rows = {};
  std::string stats = {};  // of the log row that was found
  int64_t log_id = 0;      // its number
};

// Sends a batch that inserts the operation's log row. Errors: those of store::batch, a lost race
// for the number of the log row as `guard`. Where the outcome is unknown and the row is not there,
// the batch never was: the store takes one request after the other, so that one which it has not
// carried out before this look never reached it whole. Where the store does not answer that
// either, the outcome stays unknown.
Task<Result<Committed>> commit_logged(Invocation& in, const Operation& operation,
                                      std::vector<Statement> batch);

// The same for a batch that has no log row, of which another row shows whether it was committed:
// `sign` finds that row, which nobody else can have written.
Task<Result<Unit>> commit_shown(Invocation& in, std::vector<Statement> batch, Statement sign);

// The error of a batch that wrote nothing which anybody sees (a part that is staged): whatever
// became of it, nothing was changed.
Error when_unseen(const Error& error);

}  // namespace sm::flow
