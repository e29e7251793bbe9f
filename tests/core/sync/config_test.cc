#include "core/sync/config.h"

#include <gtest/gtest.h>

namespace sm::sync {
namespace {

bool accepted(Connector connector, const std::string& config,
              Addresses addresses = Addresses::public_only) {
  return check_config(connector, config, addresses).empty();
}

TEST(ConfigChecks, RatiosLieFrom0To1) {
  for (const char* ratio : {"0", "1", "0.5", "1e-7"})
    EXPECT_TRUE(accepted(Connector::source, "{\"max_removed_ratio\":" + std::string(ratio) + "}"));
  for (const char* ratio : {"-0.1", "1.0000001", "2", "1e+300", "\"0.5\"", "null", "true", "[]"}) {
    EXPECT_FALSE(accepted(Connector::source, "{\"max_removed_ratio\":" + std::string(ratio) + "}"))
        << ratio;
  }
}

TEST(ConfigChecks, IdFieldIsAJsonPointer) {
  for (const char* pointer : {"\"\"", "\"/a\"", "\"/a~1b/0\""})
    EXPECT_TRUE(accepted(Connector::source, "{\"id_field\":" + std::string(pointer) + "}"))
        << pointer;
  for (const char* pointer : {"\"a\"", "\"/~2\"", "1", "null", "[]"})
    EXPECT_FALSE(accepted(Connector::source, "{\"id_field\":" + std::string(pointer) + "}"))
        << pointer;
}

TEST(ConfigChecks, ChoicesOfATargetAreKnownWords) {
  for (const char* policy : {"skip", "source_wins"})
    EXPECT_TRUE(
        accepted(Connector::target, "{\"conflict_policy\":\"" + std::string(policy) + "\"}"));
  for (const char* on_removed : {"keep", "delete"})
    EXPECT_TRUE(
        accepted(Connector::target, "{\"on_removed\":\"" + std::string(on_removed) + "\"}"));
  for (const char* config :
       {R"({"conflict_policy":"Skip"})", R"({"conflict_policy":""})", R"({"on_removed":"drop"})",
        R"({"on_removed":null})", R"({"conflict_policy":["skip"]})"}) {
    EXPECT_FALSE(accepted(Connector::target, config)) << config;
  }
}

TEST(ConfigChecks, MembersOfTheOtherConnectorAreFree) {
  EXPECT_TRUE(accepted(Connector::source, R"({"conflict_policy":1,"on_removed":2})"));
  EXPECT_TRUE(accepted(Connector::target, R"({"id_field":1,"max_removed_ratio":2})"));
}

TEST(ConfigChecks, NamesBelowTheTopAreFree) {
  EXPECT_TRUE(accepted(Connector::source, R"({"a":{"id_field":1,"max_removed_ratio":2,"url":3}})"));
}

TEST(ConfigChecks, AddressesArePublicUnlessTheDeploymentAllowsOthers) {
  for (Connector connector : {Connector::source, Connector::target}) {
    EXPECT_TRUE(accepted(connector, R"({"url":"https://example.com/a?b"})"));
    EXPECT_FALSE(accepted(connector, R"({"url":"http://127.0.0.1/"})"));
    EXPECT_TRUE(accepted(connector, R"({"url":"http://127.0.0.1/"})", Addresses::any));
    EXPECT_FALSE(accepted(connector, R"({"url":"ftp://example.com/"})", Addresses::any));
    EXPECT_FALSE(accepted(connector, R"({"url":null})"));
  }
}

TEST(ConfigValues, AreThoseOfTheMembersThatFit) {
  SourceConfig source = source_config(R"({"id_field":"/a~1b/0","max_removed_ratio":0.25})");
  EXPECT_EQ(source.id_field, (json::PointerTokens{"a/b", "0"}));
  EXPECT_EQ(source.max_removed_ratio, 0.25);
  TargetConfig target = target_config(R"({"conflict_policy":"source_wins","on_removed":"delete"})");
  EXPECT_EQ(target.conflict_policy, ConflictPolicy::source_wins);
  EXPECT_EQ(target.on_removed, OnRemoved::hide);
  EXPECT_EQ(policy_name(target.conflict_policy), "source_wins");
}

TEST(ConfigValues, AreTheDefaultsWhereAMemberIsMissingOrDoesNotFit) {
  for (const char* config : {"{}", R"({"id_field":5,"max_removed_ratio":2})",
                             R"({"conflict_policy":"x","on_removed":null})"}) {
    SourceConfig source = source_config(config);
    EXPECT_EQ(source.id_field, std::nullopt);
    EXPECT_EQ(source.max_removed_ratio, std::nullopt);
    TargetConfig target = target_config(config);
    EXPECT_EQ(target.conflict_policy, ConflictPolicy::skip);
    EXPECT_EQ(target.on_removed, OnRemoved::keep);
    EXPECT_EQ(policy_name(target.conflict_policy), "skip");
  }
}

TEST(ConfigMembers, EachIsDocumentedAndEachChoiceIsAccepted) {
  for (Connector connector : {Connector::source, Connector::target}) {
    for (const ConfigMember& member : config_members(connector)) {
      EXPECT_TRUE(member.doc->ends_with(".")) << member.name;
      EXPECT_EQ(member.choices.empty(), member.kind != ConfigMember::Kind::choice) << member.name;
      for (std::string_view choice : member.choices) {
        std::string config = "{\"" + std::string(member.name) + "\":\"" + std::string(choice);
        EXPECT_TRUE(accepted(connector, config + "\"}")) << config;
      }
    }
  }
}

TEST(ConfigChecks, EveryFaultIsToldWithItsReason) {
  auto errors = check_config(Connector::source, R"({"id_field":1,"max_removed_ratio":"x","url":1})",
                             Addresses::public_only);
  ASSERT_EQ(errors.count(), 3u);
  for (const FieldError& error : errors.kept()) {
    EXPECT_EQ(error.in, FieldError::In::body);
    EXPECT_TRUE(error.where.starts_with("/config/"));
    EXPECT_TRUE(error.detail.starts_with("must be ")) << error.detail;
  }
}

}  // namespace
}  // namespace sm::sync
