#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "core/api/call.h"
#include "core/api/openapi.h"
#include "core/api/shape.h"

namespace sm::api {
namespace {

using Json = nlohmann::ordered_json;

TEST(Routes, EachMethodOfAPathStandsOnce) {
  std::set<std::string> seen;
  for (const Route& route : routes()) {
    EXPECT_TRUE(seen.insert(std::string(route.method) + " " + std::string(route.path)).second)
        << route.path;
  }
}

TEST(Routes, OnlyRoutesThatTakeABodyHaveARequestShape) {
  for (const Route& route : routes()) {
    EXPECT_EQ(route.request_shape != nullptr, route.body != BodyRule::none) << route.path;
  }
}

void collect_references(const Json& json, std::set<std::string>& found) {
  if (json.is_object() && json.contains("$ref")) found.insert(json["$ref"].get<std::string>());
  if (json.is_structured()) {
    for (const Json& inner : json) collect_references(inner, found);
  }
}

TEST(OpenApi, NamesEveryRouteAndResolvesEveryReference) {
  Json document = Json::parse(openapi_document(), nullptr, false);
  ASSERT_TRUE(document.is_object());
  EXPECT_EQ(document["openapi"], "3.1.0");
  std::set<std::string> ids;
  for (const Route& route : routes()) {
    if (route.answer == Answer::file) continue;
    std::string method;
    for (char c : route.method) method += static_cast<char>(c + 32);
    const Json& operation = document["paths"][std::string(route.path)][method];
    ASSERT_TRUE(operation.is_object()) << route.path;
    EXPECT_TRUE(ids.insert(operation["operationId"].get<std::string>()).second) << route.path;
  }
  std::set<std::string> references;
  collect_references(document, references);
  EXPECT_GT(references.size(), 10u);
  for (const std::string& reference : references) {
    std::string name = reference.substr(reference.rfind('/') + 1);
    EXPECT_TRUE(document["components"]["schemas"].contains(name)) << reference;
  }
}

TEST(Shape, EveryFieldAtFaultHasAPointer) {
  static constexpr std::string_view kTypes[] = {"a", "b"};
  static constexpr Field kFields[] = {
      {"name", Field::Kind::name},
      {"type", Field::Kind::choice, Field::Need::required, {}, kTypes},
      {"config", Field::Kind::object, Field::Need::optional}};
  const Shape shape{"Test", kFields};
  auto pointers = [&](std::string_view body) {
    std::vector<std::string> found;
    auto members = check_shape(shape, body);
    if (!members.ok()) {
      for (const FieldError& error : members.error().fields) found.push_back(error.where);
    }
    return found;
  };
  using Pointers = std::vector<std::string>;
  EXPECT_EQ(pointers(R"({"name":"n","type":"a"})"), Pointers{});
  EXPECT_EQ(pointers("[]"), Pointers{""});
  EXPECT_EQ(pointers(R"({"config":[],"id":1,"name":"","x/y":2})"),
            (Pointers{"/config", "/id", "/name", "/x~1y", "/type"}));
  EXPECT_EQ(pointers(R"({"config":null,"name":"n\u0000","type":"c"})"),
            (Pointers{"/config", "/name", "/type"}));
  EXPECT_EQ(pointers("{\"name\":\"" + std::string(256, 'x') + "\",\"type\":\"a\"}"),
            Pointers{"/name"});
}

}  // namespace
}  // namespace sm::api
