// The store as flows see it: reads, and atomic batches of writes. Nothing here pretends to be a
// transaction: what was read before a batch is a hypothesis, which the batch checks with a guard
// (schema/queries/common.sql).
//
// A call begins with the conditions of its invocation that are still open (invocation.h): where one
// does not hold, nothing else of the call is read or written, and its error is the refusal.
#pragma once

#include <vector>

#include "core/base/ids.h"
#include "core/base/invocation.h"
#include "core/base/result.h"
#include "core/store/rows.h"
#include "store/queries.h"

namespace sm::store {

// Errors: unavailable, overloaded, refused, cancelled.
Task<Result<Rows>> query(Invocation& in, Statement statement);
Task<Result<std::vector<Rows>>> query_all(Invocation& in, std::vector<Statement> statements);

// All or nothing. Errors: those of a query, and guard (its column in `detail`), unique
// (table.column), unknown_outcome.
Task<Result<std::vector<Rows>>> batch(Invocation& in, std::vector<Statement> statements);

// The same for what nobody sees before another batch: ids that are handed out, parts of an import.
// It waits for no turn, and a host may send it again.
Task<Result<std::vector<Rows>>> unseen_batch(Invocation& in, std::vector<Statement> statements);

// Asks for the open conditions alone, where there are any. Errors: the refusal; those of a query.
Task<Result<Unit>> settle_conditions(Invocation& in);

// True where a batch was refused by this guard.
bool lost_guard(const Error& error, std::string_view column);

// The only row of a result. Its texts stay good as long as `rows` does.
template <typename Row>
Row only(Rows& rows) {
  Row row;
  SM_CHECK(rows.next(row));
  return row;
}

// The first row of a result, with the Rows that keep its texts alive; false where there is none.
template <typename Row>
class Held {
 public:
  Held() = default;
  explicit Held(Rows rows) : rows_(std::move(rows)), found_(rows_.next(row_)) {}

  explicit operator bool() const { return found_; }
  const Row& operator*() const { return row_; }
  const Row* operator->() const { return &row_; }

 private:
  Rows rows_;
  Row row_;
  bool found_ = false;
};

}  // namespace sm::store
