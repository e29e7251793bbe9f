#include "core/openapi/document.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "core/api/route.h"

namespace sm::openapi {
namespace {

using api::Access;
using api::Parameter;
using api::Route;
using api::routes;
using api::Success;

using Json = nlohmann::json;

const Json& written() {
  static const Json kDocument = document();
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

TEST(OpenApi, WhatIsServedIsWhatTheTablesSay) {
  std::ifstream file(SM_OPENAPI_FILE);
  EXPECT_TRUE(nlohmann::ordered_json::parse(file, nullptr, false) == document())
      << "schema/openapi.json tells another API: make openapi writes it";
}

TEST(OpenApi, EveryReferencePointsAtSomethingThatIsThere) {
  size_t references = 0;
  each_value(written(), [&](const Json& json) {
    if (!json.is_object() || !json.contains("$ref")) return;
    ++references;
    std::string reference = json["$ref"].get<std::string>();
    ASSERT_TRUE(reference.starts_with("#/")) << reference;
    EXPECT_TRUE(written().contains(Json::json_pointer(reference.substr(1)))) << reference;
  });
  EXPECT_GT(references, 30u);
}

TEST(OpenApi, EverySchemaIsReferredTo) {
  std::set<std::string> used;
  each_value(written(), [&](const Json& json) {
    if (json.is_object() && json.contains("$ref")) used.insert(json["$ref"].get<std::string>());
  });
  for (const auto& [name, schema] : written()["components"]["schemas"].items())
    EXPECT_TRUE(used.contains("#/components/schemas/" + name)) << name;
}

TEST(OpenApi, HasNoOperationThatIsNoRoute) {
  std::set<std::string> known;
  for (const Route& route : routes()) {
    if (route.success->form != Success::Form::file)
      known.insert(lower(route.method) + std::string(route.path));
  }
  size_t operations = 0;
  for (const auto& [path, methods] : written()["paths"].items()) {
    for (const auto& [method, operation] : methods.items()) {
      EXPECT_TRUE(known.contains(method + path)) << method << path;
      ++operations;
    }
  }
  EXPECT_EQ(operations, known.size());
}

TEST(OpenApi, OperationIdsAreUniqueWords) {
  std::set<std::string> ids;
  for (const auto& path : written()["paths"]) {
    for (const auto& operation : path) {
      std::string id = operation["operationId"].get<std::string>();
      EXPECT_TRUE(ids.insert(id).second) << id;
      EXPECT_EQ(id.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"), std::string::npos) << id;
    }
  }
}

TEST(OpenApi, ParametersAreThoseOfThePathAndTheRoute) {
  for (const Route& route : routes()) {
    if (route.success->form == Success::Form::file) continue;
    const Json& operation = written()["paths"][std::string(route.path)][lower(route.method)];
    std::multiset<std::string> expected;
    for (const Parameter& parameter : route.parameters) {
      expected.insert("query " + std::string(parameter.name));
    }
    for (size_t open = route.path.find('{'); open != std::string_view::npos;
         open = route.path.find('{', open + 1)) {
      std::string_view rest = route.path.substr(open + 1);
      expected.insert("path " + std::string(rest.substr(0, rest.find('}'))));
    }
    std::multiset<std::string> found;
    for (const Json& parameter : operation.value("parameters", Json::array())) {
      std::string in = parameter["in"].get<std::string>();
      if (in == "header") continue;
      found.insert(in + " " + parameter["name"].get<std::string>());
      EXPECT_EQ(parameter["required"], in == "path");
    }
    EXPECT_EQ(found, expected) << route.path;
  }
}

TEST(OpenApi, SecurityIsTheRoutesAccess) {
  for (const Route& route : routes()) {
    if (route.success->form == Success::Form::file) continue;
    const Json& security =
        written()["paths"][std::string(route.path)][lower(route.method)]["security"];
    ASSERT_TRUE(security.is_array()) << route.path;
    if (route.access == Access::open) EXPECT_TRUE(security.empty()) << route.path;
    if (route.access == Access::key) EXPECT_EQ(security, Json::parse(R"([{"key":[]}])"));
    if (route.access == Access::signup) EXPECT_EQ(security, Json::parse(R"([{},{"admin":[]}])"));
    for (const Json& one : security) {
      for (const auto& [scheme, scopes] : one.items())
        EXPECT_TRUE(written()["components"]["securitySchemes"].contains(scheme)) << scheme;
    }
  }
}

TEST(OpenApi, RequiredMembersOfEverySchemaAreDescribed) {
  each_value(written(), [](const Json& json) {
    if (!json.is_object() || !json.contains("required") || !json["required"].is_array()) return;
    for (const Json& name : json["required"])
      EXPECT_TRUE(json["properties"].contains(name.get<std::string>())) << name;
  });
  const Json& source = written()["components"]["schemas"]["Source"];
  EXPECT_EQ(source["required"].size(), source["properties"].size());
}

TEST(OpenApi, EveryTypeIsATextOrAListOfATextAndNull) {
  each_value(written()["components"]["schemas"], [](const Json& json) {
    if (!json.is_object() || !json.contains("type") || json["type"].is_object()) return;
    const Json& type = json["type"];
    bool known = type.is_string() || (type.is_array() && type.size() == 2 && type[1] == "null");
    EXPECT_TRUE(known) << json;
  });
}

TEST(OpenApi, HeadersFollowFromWhatTheAnswerTells) {
  for (const Route& route : routes()) {
    if (route.success->form == Success::Form::file) continue;
    const Json& operation = written()["paths"][std::string(route.path)][lower(route.method)];
    std::set<std::string> found;
    for (const Json& parameter : operation.value("parameters", Json::array())) {
      if (parameter["in"] == "header") found.insert(parameter["name"].get<std::string>());
    }
    bool tagged = route.success->state == Success::State::etag;
    const Json& responses = operation["responses"];
    EXPECT_EQ(found.contains("If-None-Match"), tagged && route.method == "GET") << route.path;
    EXPECT_EQ(found.contains("If-Match"), tagged && route.method == "PATCH") << route.path;
    EXPECT_EQ(responses.contains("304"), found.contains("If-None-Match")) << route.path;
    EXPECT_EQ(responses.contains("412"), found.contains("If-Match")) << route.path;
    const Json& headers = responses[std::to_string(route.success->status)].value("headers", Json());
    EXPECT_EQ(headers.contains("ETag"), tagged) << route.path;
    EXPECT_EQ(headers.contains("Location"), route.success->status == 201) << route.path;
    EXPECT_EQ(headers.contains("Link"), route.success->form == Success::Form::list) << route.path;
  }
}

TEST(OpenApi, ProblemsOfAStatusAreItsExamples) {
  size_t problems = 0;
  for (const auto& [name, response] : written()["components"]["responses"].items()) {
    const Json& content = response["content"]["application/problem+json"];
    for (const auto& [type, example] : content["examples"].items()) {
      ++problems;
      EXPECT_EQ(name, "Problem" + example["value"]["status"].dump());
      EXPECT_EQ(example["value"]["type"], "urn:sync-manager:problem:" + type);
    }
  }
  EXPECT_GT(problems, 12u);
}

TEST(OpenApi, HealthIsToldWithItsOwnMembersOrAsAProblem) {
  const Json& content = written()["paths"]["/health"]["get"]["responses"]["503"]["content"];
  EXPECT_TRUE(content.contains("application/json"));
  EXPECT_TRUE(content.contains("application/problem+json"));
}

TEST(OpenApi, EveryBodyHasAnExampleThatFitsItsShape) {
  for (const Route& route : routes()) {
    if (route.body.shape == nullptr) continue;
    std::string example(*route.body.shape->example);
    ASSERT_TRUE(Json::accept(example)) << route.path;
    // Canonical form, as nlohmann writes it for what the examples hold.
    EXPECT_TRUE(api::check_shape(*route.body.shape, Json::parse(example).dump()).ok())
        << route.path;
  }
}

TEST(OpenApi, TellsTheMembersOfConfigThatAreChecked) {
  const Json& schemas = written()["components"]["schemas"];
  const Json& source = schemas["NewSource"]["properties"]["config"]["properties"];
  const Json& target = schemas["NewTarget"]["properties"]["config"]["properties"];
  for (const char* name : {"id_field", "max_removed_ratio", "url"})
    EXPECT_TRUE(source.contains(name)) << name;
  EXPECT_EQ(target["conflict_policy"]["enum"], Json::parse(R"(["skip","source_wins"])"));
  EXPECT_EQ(target["on_removed"]["default"], "keep");
  EXPECT_EQ(schemas["TargetPatch"]["properties"]["config"]["properties"]["on_removed"]["type"],
            Json::parse(R"(["string","null"])"));
}

}  // namespace
}  // namespace sm::openapi
