#include "core/api/route.h"

#include <gtest/gtest.h>

#include <set>

namespace sm::api {
namespace {

TEST(Routes, EachMethodOfAPathStandsOnce) {
  std::set<std::string> seen;
  for (const Route& route : routes()) {
    EXPECT_TRUE(seen.insert(std::string(route.method) + " " + std::string(route.path)).second)
        << route.path;
  }
}

TEST(Routes, OnlyRoutesThatTakeABodyHaveARequestShape) {
  for (const Route& route : routes()) {
    EXPECT_EQ(route.body.shape != nullptr, route.body.reading != Body::Reading::nothing)
        << route.path;
  }
}

TEST(Routes, EveryIdOfAPathHasAParentThatTellsWhetherItIsThere) {
  for (const Route& route : routes()) {
    bool has_ids = route.path.find('{') != std::string_view::npos;
    EXPECT_EQ(route.parent != flow::Parent::none, has_ids) << route.method << " " << route.path;
  }
}

TEST(Routes, ParametersOfARouteDiffer) {
  for (const Route& route : routes()) {
    std::set<std::string_view> names;
    for (const Parameter& parameter : route.parameters)
      EXPECT_TRUE(names.insert(parameter.name).second) << route.path << " " << parameter.name;
  }
}

TEST(Routes, WhatIsNoPartOfAPageHasASummaryAndATag) {
  for (const Route& route : routes()) {
    bool told = route.success->form != Success::Form::file;
    EXPECT_EQ(!route.summary->empty(), told) << route.path;
    EXPECT_EQ(!route.tag->empty(), told) << route.path;
  }
}

}  // namespace
}  // namespace sm::api
