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

Result<std::vector<Rows>> rows_of(Reply reply, const std::vector<uint32_t>& numbers) {
  if (reply.error) return std::move(*reply.error);
  SM_CHECK(reply.results.size() == numbers.size());
  std::vector<Rows> rows;
  rows.reserve(reply.results.size());
  for (size_t i = 0; i < numbers.size(); ++i) {
    reply.results[i].statement = numbers[i];
    rows.emplace_back(std::move(reply.results[i]));
  }
  return rows;
}

}  // namespace

Task<Result<Rows>> query(Invocation& in, Statement statement) {
  std::vector<Statement> statements;
  statements.push_back(std::move(statement));
  CO_TRY(std::vector<Rows> rows, co_await query_all(in, std::move(statements)));
  co_return std::move(rows[0]);
}

Task<Result<std::vector<Rows>>> query_all(Invocation& in, std::vector<Statement> statements) {
  std::vector<uint32_t> numbers = numbers_of(statements);
  std::vector<Reply> replies = co_await in.perform(one(Query{std::move(statements)}));
  co_return rows_of(std::move(replies[0]), numbers);
}

Task<Result<std::vector<Rows>>> batch(Invocation& in, std::vector<Statement> statements) {
  std::vector<uint32_t> numbers = numbers_of(statements);
  std::vector<Reply> replies = co_await in.perform(one(Batch{std::move(statements)}));
  co_return rows_of(std::move(replies[0]), numbers);
}

bool lost_guard(const Error& error, std::string_view column) {
  return error.code == ErrorCode::guard && error.detail == column;
}

}  // namespace sm::store
