#include "core/api/openapi.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "core/api/call.h"

namespace sm::api {
namespace {

using Json = nlohmann::json;

const Json& document() {
  static const Json kDocument = Json::parse(openapi_document(), nullptr, false);
  return kDocument;
}

std::string lower(std::string_view method) {
  std::string text;
  for (char c : method) text += static_cast<char>(c - 'A' + 'a');
  return text;
}

template <typename Visit>
void each_value(const Json& json, Visit visit) {
  visit(json);
  if (!json.is_structured()) return;
  for (const Json& inner : json) each_value(inner, visit);
}

TEST(OpenApi, EveryReferencePointsAtSomethingThatIsThere) {
  size_t references = 0;
  each_value(document(), [&](const Json& json) {
    if (!json.is_object() || !json.contains("$ref")) return;
    ++references;
    std::string reference = json["$ref"].get<std::string>();
    ASSERT_TRUE(reference.starts_with("#/")) << reference;
    EXPECT_TRUE(document().contains(Json::json_pointer(reference.substr(1)))) << reference;
  });
  EXPECT_GT(references, 30u);
}

TEST(OpenApi, EverySchemaIsReferredTo) {
  std::set<std::string> used;
  each_value(document(), [&](const Json& json) {
    if (json.is_object() && json.contains("$ref")) used.insert(json["$ref"].get<std::string>());
  });
  for (const auto& [name, schema] : document()["components"]["schemas"].items())
    EXPECT_TRUE(used.contains("#/components/schemas/" + name)) << name;
}

TEST(OpenApi, HasNoOperationThatIsNoRoute) {
  std::set<std::string> known;
  for (const Route& route : routes()) {
    if (route.answer != Answer::file) known.insert(lower(route.method) + std::string(route.path));
  }
  size_t operations = 0;
  for (const auto& [path, methods] : document()["paths"].items()) {
    for (const auto& [method, operation] : methods.items()) {
      EXPECT_TRUE(known.contains(method + path)) << method << path;
      ++operations;
    }
  }
  EXPECT_EQ(operations, known.size());
}

TEST(OpenApi, OperationIdsAreUniqueWords) {
  std::set<std::string> ids;
  for (const auto& path : document()["paths"]) {
    for (const auto& operation : path) {
      std::string id = operation["operationId"].get<std::string>();
      EXPECT_TRUE(ids.insert(id).second) << id;
      EXPECT_EQ(id.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"), std::string::npos) << id;
    }
  }
}

TEST(OpenApi, ParametersAreThoseOfThePathAndTheRoute) {
  for (const Route& route : routes()) {
    if (route.answer == Answer::file) continue;
    const Json& operation = document()["paths"][std::string(route.path)][lower(route.method)];
    std::multiset<std::string> expected;
    for (const Parameter& parameter : route.parameters) {
      if (!parameter.doc.empty()) expected.insert("query " + std::string(parameter.name));
    }
    for (size_t open = route.path.find('{'); open != std::string_view::npos;
         open = route.path.find('{', open + 1)) {
      std::string_view rest = route.path.substr(open + 1);
      expected.insert("path " + std::string(rest.substr(0, rest.find('}'))));
    }
    std::multiset<std::string> found;
    for (const Json& parameter : operation.value("parameters", Json::array())) {
      std::string in = parameter["in"].get<std::string>();
      found.insert(in + " " + parameter["name"].get<std::string>());
      EXPECT_EQ(parameter["required"], in == "path");
    }
    EXPECT_EQ(found, expected) << route.path;
  }
}

TEST(OpenApi, SecurityIsTheRoutesAccess) {
  for (const Route& route : routes()) {
    if (route.answer == Answer::file) continue;
    const Json& security =
        document()["paths"][std::string(route.path)][lower(route.method)]["security"];
    ASSERT_TRUE(security.is_array()) << route.path;
    if (route.access == Access::open) EXPECT_TRUE(security.empty()) << route.path;
    if (route.access == Access::key) EXPECT_EQ(security, Json::parse(R"([{"key":[]}])"));
    if (route.access == Access::signup) EXPECT_EQ(security, Json::parse(R"([{},{"admin":[]}])"));
    for (const Json& one : security) {
      for (const auto& [scheme, scopes] : one.items())
        EXPECT_TRUE(document()["components"]["securitySchemes"].contains(scheme)) << scheme;
    }
  }
}

TEST(OpenApi, RequiredMembersOfEverySchemaAreDescribed) {
  each_value(document(), [](const Json& json) {
    if (!json.is_object() || !json.contains("required") || !json["required"].is_array()) return;
    for (const Json& name : json["required"])
      EXPECT_TRUE(json["properties"].contains(name.get<std::string>())) << name;
  });
  const Json& source = document()["components"]["schemas"]["Source"];
  EXPECT_EQ(source["required"].size(), source["properties"].size());
}

TEST(OpenApi, EveryTypeIsATextOrAListOfTexts) {
  for (const auto& [name, schema] : document()["components"]["schemas"].items()) {
    for (const auto& [member, value] : schema["properties"].items()) {
      const Json& type = value["type"];
      bool known = type.is_string() || (type.is_array() && type.size() == 2 && type[1] == "null");
      EXPECT_TRUE(known) << name << "." << member << " " << type;
    }
  }
}

}  // namespace
}  // namespace sm::api
