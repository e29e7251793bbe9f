#include "core/base/invocation.h"

#include <gtest/gtest.h>

namespace sm {
namespace {

std::vector<Effect> query_of(size_t statements) {
  std::vector<Effect> effects;
  effects.push_back(Query{std::vector<Statement>(statements)});
  return effects;
}

TEST(Invocation, CountsTheStatementsOfQueriesAndBatches) {
  Invocation in({}, Time{0}, std::string(64, 's'));
  in.perform(query_of(3));
  std::vector<Effect> several = query_of(2);
  several.push_back(Batch{std::vector<Statement>(4)});
  several.push_back(ReadBody{});
  in.perform(std::move(several));
  EXPECT_EQ(in.queries(), 9u);
}

TEST(Invocation, MayGoOnWhileEnoughStatementsAreLeftToEndIt) {
  Invocation in({}, Time{0}, std::string(64, 's'));
  in.perform(query_of(kMaxQueries - kQueriesToEnd));
  EXPECT_TRUE(in.may_go_on());
  in.perform(query_of(1));
  EXPECT_FALSE(in.may_go_on());
}

}  // namespace
}  // namespace sm
