#include "core/store/store.h"

namespace sm::store {
namespace {

std::vector<Effect> one(Effect effect) {
  std::vector<Effect> effects;
  effects.push_back(std::move(effect));
  return effects;
}

Result<std::vector<Rows>> rows_of(Reply reply) {
  if (reply.error) return std::move(*reply.error);
  std::vector<Rows> rows;
  rows.reserve(reply.results.size());
  for (RawResult& result : reply.results) rows.emplace_back(std::move(result));
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
  std::vector<Reply> replies = co_await in.perform(one(Query{std::move(statements)}));
  co_return rows_of(std::move(replies[0]));
}

Task<Result<std::vector<Rows>>> batch(Invocation& in, std::vector<Statement> statements) {
  std::vector<Reply> replies = co_await in.perform(one(Batch{std::move(statements)}));
  co_return rows_of(std::move(replies[0]));
}

bool lost_guard(const Error& error, std::string_view column) {
  return error.code == ErrorCode::guard && error.detail == column;
}

int64_t only_integer(Rows rows) {
  SM_CHECK(rows.next());
  return rows.integer(0);
}

}  // namespace sm::store
