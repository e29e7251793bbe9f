#include "core/sync/secrets.h"

#include <gtest/gtest.h>

namespace sm::sync {
namespace {

// "pointer=value" of each secret, in order, then "pointer" of each mask.
std::vector<std::string> found_in(std::string_view config) {
  SplitConfig split = split_secrets(config).value();
  std::vector<std::string> found;
  for (const Secret& secret : split.secrets) found.push_back(secret.pointer + "=" + secret.value);
  for (const std::string& pointer : split.kept) found.push_back(pointer);
  return found;
}

using Found = std::vector<std::string>;

TEST(Secrets, ANameIsOneByItsEndAtAnyDepthAndNoOther) {
  for (const char* name :
       {"api_key", "password", "connection", "token", "secret", "apiKey", "APIKEY", "x-api-key",
        "db_passwd", "client_secret", "access_token", "refreshToken", "bearer-token", "private_key",
        "credentials", "Authorization", "proxy_authorization", "_t_o-k_e_n_"}) {
    std::string member = "{\"" + std::string(name) + "\":\"s\"}";
    std::string pointer = "/" + std::string(name);
    EXPECT_EQ(found_in(member), Found{pointer + "=\"s\""});
    EXPECT_EQ(found_in("{\"a\":[[" + member + "]]}"), Found{"/a/0/0" + pointer + "=\"s\""});
    EXPECT_EQ(split_secrets(member).value().masked, "{\"" + std::string(name) + "\":\"********\"}");
  }
  for (const char* name : {"passwords", "tokens", "client_id", "key", "header", "authorizations",
                           "token_url", "secret.", ""}) {
    std::string member = "{\"" + std::string(name) + "\":\"s\"}";
    EXPECT_EQ(found_in(member), Found{}) << name;
    EXPECT_EQ(split_secrets(member).value().masked, member);
  }
}

TEST(Secrets, AnyTypeOfValueButNullIsHidden) {
  for (const char* value : {"\"\"", "0", "false", "[]", "{}", R"({"deep":["x"]})", "[1,[2]]"}) {
    std::string config = "{\"token\":" + std::string(value) + "}";
    EXPECT_EQ(found_in(config), Found{"/token=" + std::string(value)});
    EXPECT_EQ(split_secrets(config).value().masked, R"({"token":"********"})");
  }
  EXPECT_EQ(found_in(R"({"token":null})"), Found{});
  EXPECT_EQ(split_secrets(R"({"token":null})").value().masked, R"({"token":null})");
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
    EXPECT_EQ(split_secrets(config).value().masked, R"({"headers":"********"})");
  }
}

TEST(Secrets, NoneIsLeftInTheMaskedConfigAndWhatIsNoSecretStays) {
  std::string config =
      R"({"a":{"b":[1,{"password":"hidden","plain":"kept"},"x"]},"headers":{"h":"hidden"},)"
      R"("secret":["hidden"],"url":"https://example.com/"})";
  std::string masked = split_secrets(config).value().masked;
  EXPECT_EQ(masked.find("hidden"), std::string::npos);
  EXPECT_EQ(masked,
            R"({"a":{"b":[1,{"password":"********","plain":"kept"},"x"]},)"
            R"("headers":{"h":"********"},"secret":"********","url":"https://example.com/"})");
  EXPECT_EQ(split_secrets(masked).value().masked, masked) << "masking twice changes nothing";
}

TEST(Secrets, AMaskIsKeptOnlyWhereASecretStands) {
  EXPECT_EQ(found_in(R"({"a":[{"token":"********"}],"headers":{"b":"********","c":"new"}})"),
            (Found{"/headers/c=\"new\"", "/a/0/token", "/headers/b"}));
  EXPECT_EQ(found_in(R"({"name":"********"})"), Found{}) << "a plain text like any other";
  EXPECT_EQ(found_in(R"({"token":"*******"})"), Found{"/token=\"*******\""}) << "one star less";
}

std::string headers(size_t count, const std::string& value = "\"v\"") {
  std::string config = "{\"headers\":{";
  for (size_t i = 0; i < count; ++i) {
    config += (i > 0 ? ",\"h" : "\"h") + std::to_string(1000 + i) + "\":" + value;
  }
  return config + "}}";
}

TEST(Secrets, AMaskInsideOfOneIsRefused) {
  for (const char* config :
       {R"({"headers":{"B":["********"]}})", R"({"headers":{"B":["********","q"]}})",
        R"({"headers":["********"]})", R"({"token":{"a":"********"}})",
        R"({"a":[{"secret":{"b":[1,"********"]}}]})"}) {
    Result<SplitConfig> split = split_secrets(config);
    ASSERT_FALSE(split.ok()) << config;
    EXPECT_EQ(split.error().code, ErrorCode::invalid);
    EXPECT_TRUE(split.error().fields.kept()[0].detail.starts_with("has a mask inside a secret"));
  }
  EXPECT_EQ(found_in(R"({"token":"a \"********\" b"})"), Found{R"(/token="a \"********\" b")"});
}

TEST(Seals, AreOneTextInTheOrderOfTheMasks) {
  SplitConfig split =
      split_secrets(R"({"a":[{"token":1},{"token":2}],"headers":{"b":"x"},"secret":null})").value();
  Seals seals = {
      {"/a/0/token", "k:1"}, {"/a/1/token", "k:2"}, {"/headers/b", "k:3"}, {"/c", "k:4"}};
  std::string text = write_seals(split.places, seals);
  EXPECT_EQ(text, R"(["k:1","k:2","k:3"])");
  seals.erase("/c");
  EXPECT_EQ(read_seals(split.masked, text), seals);
  EXPECT_EQ(write_seals({}, {}), "");
}

TEST(Seals, OfAnotherConfigAreNone) {
  for (std::string_view config :
       {"{}", R"({"token":"********"})", R"({"token":"a","secret":"b"})"}) {
    EXPECT_EQ(read_seals(config, R"(["k:1","k:2"])"), Seals{}) << config;
  }
  EXPECT_EQ(read_seals(R"({"token":"********"})", ""), Seals{});
}

TEST(SecretLimits, AConfigHasAtMost64Given_OrKept) {
  EXPECT_EQ(split_secrets(headers(64)).value().secrets.size(), 64u);
  EXPECT_EQ(split_secrets(headers(64, std::string(kMask))).value().kept.size(), 64u);
  for (const std::string& value : {std::string("\"v\""), std::string(kMask)}) {
    Result<SplitConfig> split = split_secrets(headers(65, value));
    ASSERT_FALSE(split.ok());
    EXPECT_EQ(split.error().fields.kept()[0].where, "/config");
  }
  EXPECT_FALSE(split_secrets(headers(50'000)).ok());
}

TEST(SecretLimits, APointerHasAtMost1KiBAndAValue16KiB) {
  std::string name(1024 - 8, 'x');
  EXPECT_TRUE(split_secrets("{\"" + name + "\":{\"secret\":1}}").ok());
  EXPECT_FALSE(split_secrets("{\"" + name + "x\":{\"secret\":1}}").ok());
  std::string value(16 * 1024 - 2, 'x');
  EXPECT_TRUE(split_secrets("{\"secret\":\"" + value + "\"}").ok());
  EXPECT_EQ(split_secrets("{\"secret\":\"" + value + "x\"}").error().fields.kept()[0].where,
            "/config/secret");
}

// The pointers of the masks that are refused where `before` is stored and `after` comes.
std::vector<std::string> refused(std::string_view before, std::string_view after) {
  SplitConfig stored = split_secrets(before).value();
  Seals seals;
  for (const Secret& secret : stored.secrets) seals[secret.pointer] = "sealed";
  std::vector<std::string> refused;
  Status kept = check_kept(split_secrets(after).value(), stored.masked, seals);
  if (kept.ok()) return refused;
  for (const FieldError& field : kept.error().fields.kept()) refused.push_back(field.where);
  return refused;
}

TEST(KeptSecrets, AreThoseThatAreStored) {
  EXPECT_EQ(refused(R"({"token":"t"})", R"({"a":1,"token":"********"})"), Found{});
  EXPECT_EQ(refused("{}", R"({"a":{"token":"********"}})"), Found{"/config/a/token"});
}

TEST(KeptSecrets, StandInListsThatAreOtherwiseAsTheyWere) {
  const char* before = R"({"a":[{"n":1,"token":"x"},{"n":2,"token":"y"},3]})";
  auto with = [](const char* list) { return "{\"a\":" + std::string(list) + "}"; };
  EXPECT_EQ(
      refused(before, R"({"a":[{"n":1,"token":"********"},{"n":2,"token":"********"},3],"b":1})"),
      Found{});
  EXPECT_EQ(refused(before, with(R"([{"n":1,"token":"new"},{"n":2,"token":"********"},3])")),
            Found{})
      << "one of them given anew";
  EXPECT_EQ(refused(before, with(R"([{"n":2,"token":"new"}])")), Found{}) << "no mask";
  for (const char* list : {R"([{"n":2,"token":"********"},3])",
                           R"([{"n":2,"token":"********"},{"n":1,"token":"x"},3])",
                           R"([{"n":1,"token":"********"},{"n":2,"token":"y"},3,4])",
                           R"([{"n":1,"token":"********"},{"n":2},3])"}) {
    EXPECT_EQ(refused(before, with(list)), Found{"/config/a/0/token"}) << list;
  }
  EXPECT_EQ(refused(R"({"a":[{"token":"x"}]})", R"({"a":{"0":{"token":"********"}}})"),
            Found{"/config/a/0/token"})
      << "a list that became an object";
  EXPECT_EQ(refused(R"({"a":[[{"token":"x"}],1]})", R"({"a":[[{"token":"********"}],2]})"),
            Found{"/config/a/0/0/token"})
      << "the outermost list counts";
}

TEST(KeptSecrets, StayOnlyWhereTheAddressDoes) {
  const char* before = R"({"host":"h","token":"t","url":"https://a.example/"})";
  EXPECT_EQ(refused(before, R"({"host":"i","token":"********","url":"https://b.example/"})"),
            (Found{"/config/url", "/config/host"}));
  EXPECT_EQ(refused(before, R"({"host":"h","token":"********"})"), Found{"/config/url"});
  EXPECT_EQ(refused(before, R"({"host":"i","token":"new","url":"https://b.example/"})"), Found{});
  EXPECT_EQ(
      refused(R"({"connection":"c","token":"t"})", R"({"connection":"d","token":"********"})"),
      Found{"/config/connection"});
  EXPECT_EQ(
      refused(R"({"connection":"c","token":"t"})", R"({"connection":"********","token":"n"})"),
      Found{});
}

}  // namespace
}  // namespace sm::sync
