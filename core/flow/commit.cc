#include "core/flow/commit.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "core/base/limits.h"
#include "core/store/store.h"

namespace sm::flow {
namespace {

// What a batch read before has changed. Other guards, such as a lost lease, end a flow for good.
constexpr std::string_view kLogNumber = "log_number";
constexpr std::array<std::string_view, 4> kChanged = {"source_changed", "target_changed",
                                                      "row_changed", kLogNumber};

// Log rows are numbered within the tenant by the statement that inserts them, behind the newest one
// that it sees. Where two transactions of one tenant run at the same time, both may take the same
// number: the primary key refuses the second one, which starts again.
bool lost_log_number(const Error& error) {
  constexpr std::string_view kLogs = "sync_logs.";
  return error.code == ErrorCode::unique &&
         std::string_view(error.detail).substr(0, kLogs.size()) == kLogs;
}

Error not_committed() {
  return {ErrorCode::unavailable,
          "The store failed within the request. Nothing was changed; try again."};
}

// The row that shows that a batch of unknown outcome was committed. Where the store does not even
// answer that, the batch may still have been: its own error stays.
Task<Result<store::Rows>> find_sign(Invocation& in, Error error, Statement sign) {
  Result<store::Rows> found = co_await store::query(in, std::move(sign));
  if (!found.ok()) co_return error;
  if (found.value().size() == 0) co_return not_committed();
  co_return std::move(found).value();
}

}  // namespace

bool Races::lost(const Error& error) {
  bool changed = error.code == ErrorCode::guard &&
                 std::find(kChanged.begin(), kChanged.end(), error.detail) != kChanged.end();
  return changed && in_.may_go_on() && count_++ < kMaxLostRaces;
}

Task<Result<Committed>> commit_logged(Invocation& in, const Operation& operation,
                                      std::vector<Statement> batch) {
  Result<std::vector<store::Rows>> written = co_await store::batch(in, std::move(batch));
  if (written.ok()) co_return Committed{std::move(written).value()};
  Error error = std::move(written).error();
  if (lost_log_number(error)) co_return Error{ErrorCode::guard, std::string(kLogNumber)};
  if (error.code != ErrorCode::unknown_outcome) co_return error;
  CO_TRY(store::Rows rows,
         co_await find_sign(in, std::move(error),
                            store::log_by_sync_id(operation.tenant, operation.sync_id)));
  auto log = store::only<store::LogBySyncIdRow>(rows);
  co_return Committed{std::nullopt, std::string(log.stats.value_or("")), log.id};
}

Task<Result<Unit>> commit_shown(Invocation& in, std::vector<Statement> batch, Statement sign) {
  Result<std::vector<store::Rows>> written = co_await store::batch(in, std::move(batch));
  if (written.ok()) co_return Unit{};
  Error error = std::move(written).error();
  if (error.code != ErrorCode::unknown_outcome) co_return error;
  CO_TRY([[maybe_unused]] store::Rows found,
         co_await find_sign(in, std::move(error), std::move(sign)));
  co_return Unit{};
}

Error when_unseen(const Error& error) {
  return error.code == ErrorCode::unknown_outcome ? not_committed() : error;
}

}  // namespace sm::flow
