#include "core/store/store.h"

namespace sm::store {
namespace {

std::vector<Effect> one(Effect effect) {
  std::vector<Effect> effects;
  effects.push_back(std::move(effect));
  return effects;
}

std::vector<uint32_t> numbers_of(const std::vector<Statement>& statements) {
  std::vector<uint32_t> numbers;
  numbers.reserve(statements.size());
  for (const Statement& statement : statements) numbers.push_back(statement.number);
  return numbers;
}

enum class Doing { query, batch, unseen_batch };

// Statements of a condition in the call that it begins.
constexpr size_t kOfCondition = 2;

std::vector<Statement> behind_conditions(const Invocation& in, std::vector<Statement> statements) {
  if (in.open_conditions().empty()) return statements;
  std::vector<Statement> all;
  all.reserve(kOfCondition * in.open_conditions().size() + statements.size());
  for (const Condition& condition : in.open_conditions()) {
    all.push_back(condition.guard);
    all.push_back(condition.question);
  }
  for (Statement& statement : statements) all.push_back(std::move(statement));
  return all;
}

// The first condition that did not hold ends everything. Where the call came to its own statements
// the conditions held, even if one of those failed; any other failure leaves them open.
Error settle_failure(Invocation& in, Error error) {
  if (error.code != ErrorCode::guard && error.code != ErrorCode::unique) return error;
  for (const Condition& condition : in.open_conditions()) {
    std::optional<Error> refusal = condition.refusal(error.detail);
    if (error.code != ErrorCode::guard || !refusal) continue;
    in.refuse(*refusal);
    return *refusal;
  }
  in.conditions_held();
  return error;
}

// Takes what the conditions of a call that went well were answered.
void settle_conditions_of(Invocation& in, const std::vector<RawResult>& results) {
  for (size_t i = 0; i < in.open_conditions().size(); ++i) {
    if (results[kOfCondition * i + 1].rows > 0) in.put_off(in.open_conditions()[i].when_found);
  }
  in.conditions_held();
}

// A key that is not `known` to be good keeps nobody of the tenant that it names from their turn.
Effect effect_of(const Invocation& in, Doing doing, bool known, std::vector<Statement> statements) {
  if (doing == Doing::query) return Query{std::move(statements)};
  if (doing == Doing::unseen_batch || !known) {
    return Batch{std::move(statements), {}, 0, doing == Doing::unseen_batch};
  }
  return Batch{std::move(statements), in.turn(), in.at_once()};
}

// Gives the results of `statements`, which go behind the conditions that are still open.
Task<Result<std::vector<Rows>>> perform(Invocation& in, Doing doing,
                                        std::vector<Statement> statements) {
  if (in.refusal()) co_return *in.refusal();
  size_t conditions = kOfCondition * in.open_conditions().size();
  std::vector<uint32_t> numbers = numbers_of(statements);
  bool known = conditions == 0;
  statements = behind_conditions(in, std::move(statements));
  std::vector<Reply> replies =
      co_await in.perform(one(effect_of(in, doing, known, std::move(statements))));
  Reply reply = std::move(replies[0]);
  if (reply.error) co_return settle_failure(in, std::move(*reply.error));
  SM_CHECK(reply.results.size() == conditions + numbers.size());
  settle_conditions_of(in, reply.results);
  std::vector<Rows> rows;
  rows.reserve(numbers.size());
  for (size_t i = 0; i < numbers.size(); ++i) {
    RawResult& result = reply.results[conditions + i];
    result.statement = numbers[i];
    rows.emplace_back(std::move(result));
  }
  co_return rows;
}

}  // namespace

Task<Result<Rows>> query(Invocation& in, Statement statement) {
  std::vector<Statement> statements;
  statements.push_back(std::move(statement));
  CO_TRY(std::vector<Rows> rows, co_await query_all(in, std::move(statements)));
  co_return std::move(rows[0]);
}

Task<Result<std::vector<Rows>>> query_all(Invocation& in, std::vector<Statement> statements) {
  return perform(in, Doing::query, std::move(statements));
}

Task<Result<std::vector<Rows>>> batch(Invocation& in, std::vector<Statement> statements) {
  return perform(in, Doing::batch, std::move(statements));
}

Task<Result<std::vector<Rows>>> unseen_batch(Invocation& in, std::vector<Statement> statements) {
  return perform(in, Doing::unseen_batch, std::move(statements));
}

Task<Result<Unit>> settle_conditions(Invocation& in) {
  if (in.refusal()) co_return *in.refusal();
  if (in.open_conditions().empty()) co_return Unit{};
  CO_TRY([[maybe_unused]] auto none, co_await query_all(in, {}));
  co_return Unit{};
}

bool lost_guard(const Error& error, std::string_view column) {
  return error.code == ErrorCode::guard && error.detail == column;
}

}  // namespace sm::store
