#include "core/sync/config.h"

#include <gtest/gtest.h>

namespace sm::sync {
namespace {

// "pointer=value" of each secret, in order, then "pointer" of each mask.
std::vector<std::string> found_in(std::string_view config) {
  SplitConfig split = split_secrets(config);
  std::vector<std::string> found;
  for (const Secret& secret : split.secrets) found.push_back(secret.pointer + "=" + secret.value);
  for (const std::string& pointer : split.kept) found.push_back(pointer);
  return found;
}

using Found = std::vector<std::string>;

TEST(Secrets, EachNameIsOneAtAnyDepthAndNoOther) {
  for (const char* name : {"api_key", "password", "connection", "token", "secret"}) {
    std::string member = "{\"" + std::string(name) + "\":\"s\"}";
    std::string pointer = "/" + std::string(name);
    EXPECT_EQ(found_in(member), Found{pointer + "=\"s\""});
    EXPECT_EQ(found_in("{\"a\":[[" + member + "]]}"), Found{"/a/0/0" + pointer + "=\"s\""});
    EXPECT_EQ(split_secrets(member).masked, "{\"" + std::string(name) + "\":\"********\"}");
  }
  for (const char* name : {"API_KEY", "passwords", "tokens", "Secret", "key", "header", ""}) {
    std::string member = "{\"" + std::string(name) + "\":\"s\"}";
    EXPECT_EQ(found_in(member), Found{}) << name;
    EXPECT_EQ(split_secrets(member).masked, member);
  }
}

TEST(Secrets, AnyTypeOfValueButNullIsHidden) {
  for (const char* value : {"\"\"", "0", "false", "[]", "{}", R"({"deep":["x"]})", "[1,[2]]"}) {
    std::string config = "{\"token\":" + std::string(value) + "}";
    EXPECT_EQ(found_in(config), Found{"/token=" + std::string(value)});
    EXPECT_EQ(split_secrets(config).masked, R"({"token":"********"})");
  }
  EXPECT_EQ(found_in(R"({"token":null})"), Found{});
  EXPECT_EQ(split_secrets(R"({"token":null})").masked, R"({"token":null})");
}

TEST(Secrets, EveryValueUnderHeadersIsOne) {
  EXPECT_EQ(found_in(R"({"headers":{"Accept":"json","X/Y~Z":1}})"),
            (Found{"/headers/Accept=\"json\"", "/headers/X~1Y~0Z=1"}));
  EXPECT_EQ(found_in(R"({"a":{"headers":{"b":{"c":"d"}}}})"), Found{R"(/a/headers/b={"c":"d"})"});
  EXPECT_EQ(found_in(R"({"a":[{"headers":{"b":"c"}}]})"), Found{"/a/0/headers/b=\"c\""});
  EXPECT_EQ(found_in(R"({"headers":{}})"), Found{});
}

TEST(Secrets, HeadersThatAreNoObjectAreHiddenAsAWhole) {
  for (const char* value : {"\"X: y\"", R"([{"X":"y"}])", "7"}) {
    std::string config = "{\"headers\":" + std::string(value) + "}";
    EXPECT_EQ(found_in(config), Found{"/headers=" + std::string(value)});
    EXPECT_EQ(split_secrets(config).masked, R"({"headers":"********"})");
  }
}

TEST(Secrets, NoneIsLeftInTheMaskedConfigAndWhatIsNoSecretStays) {
  std::string config =
      R"({"a":{"b":[1,{"password":"hidden","plain":"kept"},"x"]},"headers":{"h":"hidden"},)"
      R"("secret":["hidden"],"url":"https://example.com/"})";
  std::string masked = split_secrets(config).masked;
  EXPECT_EQ(masked.find("hidden"), std::string::npos);
  EXPECT_EQ(masked,
            R"({"a":{"b":[1,{"password":"********","plain":"kept"},"x"]},)"
            R"("headers":{"h":"********"},"secret":"********","url":"https://example.com/"})");
  EXPECT_EQ(split_secrets(masked).masked, masked) << "masking twice changes nothing";
}

TEST(Secrets, AMaskIsKeptOnlyWhereASecretStands) {
  EXPECT_EQ(found_in(R"({"a":[{"token":"********"}],"headers":{"b":"********","c":"new"}})"),
            (Found{"/headers/c=\"new\"", "/a/0/token", "/headers/b"}));
  EXPECT_EQ(found_in(R"({"name":"********"})"), Found{}) << "a plain text like any other";
  EXPECT_EQ(found_in(R"({"token":"*******"})"), Found{"/token=\"*******\""}) << "one star less";
}

bool accepted(Side side, const std::string& config, Addresses addresses = Addresses::public_only) {
  return check_config(side, config, addresses).empty();
}

TEST(ConfigChecks, RatiosLieFrom0To1) {
  for (const char* ratio : {"0", "1", "0.5", "1e-7"})
    EXPECT_TRUE(accepted(Side::source, "{\"max_removed_ratio\":" + std::string(ratio) + "}"));
  for (const char* ratio : {"-0.1", "1.0000001", "2", "1e+300", "\"0.5\"", "null", "true", "[]"}) {
    EXPECT_FALSE(accepted(Side::source, "{\"max_removed_ratio\":" + std::string(ratio) + "}"))
        << ratio;
  }
}

TEST(ConfigChecks, IdFieldIsAJsonPointer) {
  for (const char* pointer : {"\"\"", "\"/a\"", "\"/a~1b/0\""})
    EXPECT_TRUE(accepted(Side::source, "{\"id_field\":" + std::string(pointer) + "}")) << pointer;
  for (const char* pointer : {"\"a\"", "\"/~2\"", "1", "null", "[]"})
    EXPECT_FALSE(accepted(Side::source, "{\"id_field\":" + std::string(pointer) + "}")) << pointer;
}

TEST(ConfigChecks, ChoicesOfATargetAreKnownWords) {
  for (const char* policy : {"skip", "source_wins"})
    EXPECT_TRUE(accepted(Side::target, "{\"conflict_policy\":\"" + std::string(policy) + "\"}"));
  for (const char* on_removed : {"keep", "delete"})
    EXPECT_TRUE(accepted(Side::target, "{\"on_removed\":\"" + std::string(on_removed) + "\"}"));
  for (const char* config :
       {R"({"conflict_policy":"Skip"})", R"({"conflict_policy":""})", R"({"on_removed":"drop"})",
        R"({"on_removed":null})", R"({"conflict_policy":["skip"]})"}) {
    EXPECT_FALSE(accepted(Side::target, config)) << config;
  }
}

TEST(ConfigChecks, MembersOfTheOtherSideAreFree) {
  EXPECT_TRUE(accepted(Side::source, R"({"conflict_policy":1,"on_removed":2})"));
  EXPECT_TRUE(accepted(Side::target, R"({"id_field":1,"max_removed_ratio":2})"));
}

TEST(ConfigChecks, NamesBelowTheTopAreFree) {
  EXPECT_TRUE(accepted(Side::source, R"({"a":{"id_field":1,"max_removed_ratio":2,"url":3}})"));
}

TEST(ConfigChecks, AddressesArePublicUnlessTheDeploymentAllowsOthers) {
  for (Side side : {Side::source, Side::target}) {
    EXPECT_TRUE(accepted(side, R"({"url":"https://example.com/a?b"})"));
    EXPECT_FALSE(accepted(side, R"({"url":"http://127.0.0.1/"})"));
    EXPECT_TRUE(accepted(side, R"({"url":"http://127.0.0.1/"})", Addresses::any));
    EXPECT_FALSE(accepted(side, R"({"url":"ftp://example.com/"})", Addresses::any));
    EXPECT_FALSE(accepted(side, R"({"url":null})"));
  }
}

TEST(ConfigChecks, EveryFaultIsToldWithItsReason) {
  auto errors = check_config(Side::source, R"({"id_field":1,"max_removed_ratio":"x","url":1})",
                             Addresses::public_only);
  ASSERT_EQ(errors.size(), 3u);
  for (const FieldError& error : errors) {
    EXPECT_EQ(error.in, FieldError::In::body);
    EXPECT_TRUE(error.where.starts_with("/config/"));
    EXPECT_TRUE(error.detail.starts_with("must be ")) << error.detail;
  }
}

}  // namespace
}  // namespace sm::sync
