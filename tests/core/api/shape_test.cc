#include "core/api/shape.h"

#include <gtest/gtest.h>

#include "core/api/requests.h"
#include "core/base/limits.h"

namespace sm::api {
namespace {

// "pointer: detail" of every field at fault.
std::vector<std::string> faults(const RequestShape& shape, const std::string& canonical) {
  std::vector<std::string> found;
  auto members = check_shape(shape, canonical);
  if (members.ok()) return found;
  EXPECT_EQ(members.error().code, ErrorCode::invalid);
  for (const FieldError& error : members.error().fields.kept()) {
    EXPECT_EQ(error.in, FieldError::In::body);
    EXPECT_FALSE(error.detail.empty());
    found.push_back(error.where);
  }
  return found;
}

using Faults = std::vector<std::string>;

std::string quoted(const std::string& text) { return "\"" + text + "\""; }

TEST(Shape, OnlyAnObjectFits) {
  for (const char* body : {"[]", "null", "true", "1", "\"text\"", R"([{"name":"n"}])"})
    EXPECT_EQ(faults(kSourcePatchShape, body), Faults{""}) << body;
  EXPECT_EQ(faults(kSourcePatchShape, "{}"), Faults{});
}

TEST(Shape, NamesHave1To255CharactersNotBytes) {
  auto named = [](const std::string& name) {
    return faults(kSourcePatchShape, R"({"name":)" + quoted(name) + "}");
  };
  std::string emoji;
  for (int i = 0; i < 255; ++i) emoji += "😀";
  EXPECT_EQ(named("n"), Faults{});
  EXPECT_EQ(named(" "), Faults{});
  EXPECT_EQ(named(std::string(255, 'n')), Faults{});
  EXPECT_EQ(named(emoji), Faults{});
  EXPECT_EQ(named("\\n"), Faults{}) << "an escape is one character";
  EXPECT_EQ(named(""), Faults{"/name"});
  EXPECT_EQ(named(std::string(256, 'n')), Faults{"/name"});
  EXPECT_EQ(named(emoji + "x"), Faults{"/name"});
  EXPECT_EQ(named("a\\u0000b"), Faults{"/name"});
  for (const char* value : {"null", "1", "[]", "{}", "true"}) {
    EXPECT_EQ(faults(kSourcePatchShape, R"({"name":)" + std::string(value) + "}"), Faults{"/name"})
        << value;
  }
}

TEST(Shape, KeysAreOfTheAlphabetAndDoNotLookLikeOurs) {
  auto keyed = [](const std::string& key) {
    return faults(kNewTenantShape, R"({"api_key":)" + quoted(key) + R"(,"name":"n"})");
  };
  const std::string random = "x7Qm2ZpL9vRt4KcW8bNd3HfJ6gYs1TaU";
  EXPECT_EQ(keyed(random), Faults{});
  EXPECT_EQ(keyed(random + random + random + random), Faults{}) << "128 characters";
  EXPECT_EQ(keyed("AZaz09._~-" + random), Faults{});
  EXPECT_EQ(keyed("SM_" + random), Faults{});
  for (const std::string& key :
       {random.substr(1), random + random + random + random + "x", "sm_" + random, random + " ",
        random + "é", random + "/", random + "\\u0000", std::string()}) {
    EXPECT_EQ(keyed(key), Faults{"/api_key"}) << key;
  }
}

TEST(Shape, KeysThatSomebodyCouldGuessAreRefused) {
  auto keyed = [](const std::string& key) {
    return faults(kNewTenantShape, R"({"api_key":)" + quoted(key) + R"(,"name":"n"})");
  };
  for (const char* guessed : {
           "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk",
           "abababababababababababababababab",
           "abcdefghijklmnopqrstuvwxyz012345",
           "zyxwvutsrqponmlkjihgfedcba987654",
           "0123456789abcdef0123456789abcdef",
           "00000000-0000-0000-0000-000000000000",
           "12345678901234567890123456789012",
           "password-password-password-password",
           "my-key-my-key-my-key-my-key-my-key",
           "aaaabbbbccccddddeeeeffffgggghhhhiiiijjjjkkkkllllmmmmnnnn",
           "qwertyuiopqwertyuiopqwertyuiopqw",
           "changemechangemechangemechangeme",
       }) {
    EXPECT_EQ(keyed(guessed), Faults{"/api_key"}) << guessed;
  }
  for (const char* random : {
           "9f86d081884c7d659a2feaa0c55ad015",
           "84916263507182940375610283746519",
           "3f2b8c1e-6a47-4d09-9b5e-7c01d2f8a364",
           "correct-horse-battery-staple-under-7-moons",
       }) {
    EXPECT_EQ(keyed(random), Faults{}) << random;
  }
}

TEST(Shape, TimesAreThoseOfRfc3339) {
  auto timed = [](const std::string& time) {
    return faults(kNewKeyShape, R"({"expires_at":)" + time + "}");
  };
  EXPECT_EQ(timed(R"("2026-01-15T10:30:00Z")"), Faults{});
  EXPECT_EQ(timed(R"("2026-01-15T10:30:00+02:00")"), Faults{});
  for (const char* time : {"1", "null", R"("")", R"("tomorrow")", R"("2026-01-15")"}) {
    EXPECT_EQ(timed(time), Faults{"/expires_at"}) << time;
  }
}

TEST(Shape, TypesAreThoseOfTheConnector) {
  auto typed = [](const RequestShape& shape, const std::string& type) {
    return faults(shape, R"({"name":"n","type":)" + quoted(type) + "}").empty();
  };
  for (const char* type : {"json", "scraped", "manual", "api"})
    EXPECT_TRUE(typed(kNewSourceShape, type)) << type;
  for (const char* type : {"internal", "website", "api", "database", "ftp", "file", "cms"})
    EXPECT_TRUE(typed(kNewTargetShape, type)) << type;
  EXPECT_FALSE(typed(kNewSourceShape, "internal"));
  EXPECT_FALSE(typed(kNewTargetShape, "json"));
  EXPECT_FALSE(typed(kNewTargetShape, "API"));
  EXPECT_FALSE(typed(kNewTargetShape, ""));
}

TEST(Shape, ReadOnlyAndUnknownMembersAreNamedEach) {
  EXPECT_EQ(faults(kSourcePatchShape,
                   R"({"":1,"a/b~c":1,"id":1,"property_count":1,"tenant_id":1,"type":"json"})"),
            (Faults{"/", "/a~1b~0c", "/id", "/property_count", "/tenant_id", "/type"}));
}

TEST(Shape, RequiredMembersAreNamedOnceEach) {
  EXPECT_EQ(faults(kNewSourceShape, "{}"), (Faults{"/name", "/type"}));
  EXPECT_EQ(faults(kNewSourceShape, R"({"name":"n","type":null})"), Faults{"/type"});
  EXPECT_EQ(faults(kEditShape, "{}"), Faults{"/data"});
  EXPECT_EQ(faults(kEditShape, R"({"data":[]})"), Faults{"/data"});
}

TEST(Shape, TheFirstHundredFieldsAtFaultAreTold) {
  auto many = [](size_t count) {
    std::string body = "{";
    for (size_t i = 0; i < count; ++i) {
      body += (i == 0 ? "\"m" : ",\"m") + std::to_string(1000 + i) + "\":1";
    }
    return check_shape(kSourcePatchShape, body + "}").error();
  };
  EXPECT_EQ(many(kMaxFieldErrors).fields.kept().size(), kMaxFieldErrors);
  EXPECT_EQ(many(kMaxFieldErrors).detail.find("the first"), std::string::npos);
  for (size_t count : {kMaxFieldErrors + 1, size_t{100'000}}) {
    EXPECT_EQ(many(count).fields.kept().size(), kMaxFieldErrors);
    EXPECT_NE(many(count).detail.find("the first 100 of " + std::to_string(count)),
              std::string::npos);
  }
}

TEST(Shape, OnlyNullableMembersMayBeNull) {
  EXPECT_EQ(faults(kSourcePatchShape, R"({"config":null})"), Faults{});
  EXPECT_EQ(faults(kNewSourceShape, R"({"config":null,"name":"n","type":"json"})"),
            Faults{"/config"});
}

TEST(Shape, MembersAreGivenOutByName) {
  auto members = check_shape(kNewSourceShape, R"({"name":"a\"b","type":"json"})");
  ASSERT_TRUE(members.ok());
  EXPECT_EQ(members.value().text("name"), "a\"b");
  EXPECT_EQ(members.value().json("name"), R"("a\"b")");
  EXPECT_EQ(members.value().json("config"), std::nullopt);
}

TEST(ShapeDeathTest, AMemberThatTheShapeLacksTraps) {
  auto members = check_shape(kNewSourceShape, R"({"name":"n","type":"json"})");
  ASSERT_TRUE(members.ok());
  EXPECT_DEATH((void)members.value().json("other"), "check failed");
  EXPECT_DEATH((void)members.value().text("config"), "check failed");
}

TEST(CountCharacters, CountsCodePoints) {
  EXPECT_EQ(count_characters(""), 0u);
  EXPECT_EQ(count_characters("aé漢😀"), 4u);
}

}  // namespace
}  // namespace sm::api
