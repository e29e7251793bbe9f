// The pure decisions: identity, the set of an import's items, counts of a plan, configurations and
// their secrets.
#include <gtest/gtest.h>

#include "core/base/limits.h"
#include "core/json/item_reader.h"
#include "core/sync/config.h"
#include "core/sync/import_set.h"
#include "core/sync/plan.h"

namespace sm::sync {
namespace {

std::string identity(std::string_view item, const char* pointer = nullptr) {
  std::optional<json::PointerTokens> id_field;
  if (pointer != nullptr) id_field = json::parse_pointer(pointer);
  Identity found = identity_of(item, id_field);
  return found.external_id.empty() ? "none" : found.external_id;
}

TEST(Identity, IsIdFieldElseExternalIdElseId) {
  EXPECT_EQ(identity(R"({"external_id":"e","id":"i","x":{"y":"p"}})", "/x/y"), "p");
  EXPECT_EQ(identity(R"({"external_id":"e","id":"i"})", "/x/y"), "e");
  EXPECT_EQ(identity(R"({"external_id":null,"id":"i","x":{"y":null}})", "/x/y"), "i");
  EXPECT_EQ(identity(R"({"id":7})"), "7");
  EXPECT_EQ(identity(R"({"name":1})"), "none");
}

TEST(Identity, IsAStringOf1To512BytesOrANumber) {
  EXPECT_EQ(identity(R"({"id":""})"), "none");
  EXPECT_EQ(identity(R"({"id":true})"), "none");
  EXPECT_EQ(identity(R"({"id":["a"]})"), "none");
  EXPECT_EQ(identity(R"({"id":"a\u0000b"})"), "none");
  std::string longest(512, 'x');
  EXPECT_EQ(identity("{\"id\":\"" + longest + "\"}"), longest);
  EXPECT_EQ(identity("{\"id\":\"" + longest + "x\"}"), "none");
  EXPECT_EQ(identity(R"({"external_id":false,"id":"i"})"), "none")
      << "a wrong one is not passed over";
}

class ImportSetTest : public testing::Test {
 protected:
  void read(const std::string& body) {
    json::ItemReader reader;
    reader.feed(body);
    while (true) {
      Arena::Mark before = arena_.mark();
      json::Event event = reader.next(arena_);
      if (event.kind == json::Event::Kind::item) {
        set_.add(event, arena_, before);
      } else if (event.kind == json::Event::Kind::need_more) {
        reader.finish();
      } else {
        ASSERT_EQ(event.kind, json::Event::Kind::end);
        break;
      }
    }
    set_.finish_hashes();
  }

  Arena arena_;
  ImportSet set_{std::nullopt, ImportMode::upsert, 42};
};

TEST_F(ImportSetTest, TheLastOfTwoEqualIdentitiesCounts) {
  read(R"({"data":[{"id":1,"a":1},{"id":"2"},{"id":"1","a":2},{"id":1.0,"a":3}]})");
  EXPECT_EQ(set_.total(), 4u);
  EXPECT_EQ(set_.failed(), 2u);
  ASSERT_EQ(set_.errors().size(), 2u);
  EXPECT_EQ(set_.errors().begin()->first, 0u);
  EXPECT_EQ(set_.errors().begin()->second.external_id, "1");
  EXPECT_EQ(set_.errors().rbegin()->first, 2u);
  const ImportItem& last = set_.items().back();
  EXPECT_EQ(last.data, R"({"a":3,"id":1})");
  EXPECT_EQ(to_hex(last.hash), to_hex(sha256(last.data)));
}

TEST_F(ImportSetTest, ItemsThatFailGiveTheirIdentityWhereTheyHaveOne) {
  read(R"({"data":[3,{"id":"a","x":1e999},{"x":1},{"id":"d","d":1,"d":2}]})");
  EXPECT_EQ(set_.failed(), 4u);
  EXPECT_TRUE(set_.items().empty());
  EXPECT_EQ(set_.errors().at(0).external_id, std::nullopt);
  EXPECT_EQ(set_.errors().at(1).external_id, "a");
  EXPECT_EQ(set_.errors().at(2).external_id, std::nullopt);
  EXPECT_EQ(set_.errors().at(3).external_id, "d");
}

TEST_F(ImportSetTest, KeepsTheFirstThousandErrorsByIndexAndCountsAll) {
  std::string body = "{\"data\":[";
  for (int i = 0; i < 2500; ++i) body += "{\"id\":\"" + std::to_string(i % 1250) + "\"},";
  read(body + "0]}");
  EXPECT_EQ(set_.failed(), 1251u);
  EXPECT_EQ(set_.errors().size(), kMaxImportErrors);
  EXPECT_EQ(set_.errors().begin()->first, 0u);
  EXPECT_EQ(set_.errors().rbegin()->first, 999u);
}

TEST_F(ImportSetTest, FindsDuplicatesAmongManyIdentities) {
  std::string body = "{\"data\":[";
  for (int i = 0; i < 50'000; ++i) body += "{\"id\":" + std::to_string(i) + "},";
  read(body + "{\"id\":49999}]}");
  EXPECT_EQ(set_.items().size(), 50'001u);
  EXPECT_EQ(set_.failed(), 1u);
  EXPECT_TRUE(set_.items()[49'999].superseded);
}

TEST(Plan, StatsAddUpToTheLivePropertiesOfTheSource) {
  Plan plan;
  plan[Class::create] = {3, 3};
  plan[Class::update] = {4, 4};
  plan[Class::contest] = {1, 0};
  plan[Class::keep] = {2, 1};
  plan[Class::conflict] = {5, 0};
  plan[Class::agree] = {7, 0};
  plan[Class::accept] = {6, 0};
  Stats stats = plan.stats(100);
  EXPECT_EQ(stats.created + stats.updated + stats.skipped + stats.warnings, 100);
  EXPECT_EQ(stats.warnings, 8);
  EXPECT_EQ(stats.conflicts, 5);
  EXPECT_TRUE(plan.writes());
  EXPECT_FALSE(Plan().writes());
}

TEST(Plan, AClassIsCountedByItsNameWhetherItSaysSoOrNot) {
  for (size_t i = 0; i < kClasses; ++i) {
    auto of = static_cast<Class>(i);
    Plan plan;
    plan.add(class_name(of), 3);
    plan.add(std::string(class_name(of)) + " said", 4);
    EXPECT_EQ(plan[of].rows, 7) << class_name(of);
    EXPECT_EQ(plan[of].pending, 3) << class_name(of);
  }
}

TEST(Plan, AConflictsWarningBeginsAsPromised) {
  EXPECT_EQ(kConflictWarning.substr(0, 58),
            "Source has changes but target has manual modifications; th");
}

std::vector<std::string> faults(Connector connector, std::string_view config) {
  std::vector<std::string> pointers;
  FieldErrors errors = check_config(connector, config, Addresses::public_only);
  for (const FieldError& error : errors.kept()) pointers.push_back(error.where);
  return pointers;
}

TEST(Config, MembersThatTheApiNamesAreChecked) {
  using Pointers = std::vector<std::string>;
  EXPECT_EQ(faults(Connector::source, R"({"anything":[1,{"goes":null}]})"), Pointers{});
  EXPECT_EQ(faults(Connector::source, R"({"id_field":"/a/b","max_removed_ratio":0.5})"),
            Pointers{});
  EXPECT_EQ(faults(Connector::source,
                   R"({"id_field":"a","max_removed_ratio":2,"url":"http://10.0.0.1"})"),
            (Pointers{"/config/url", "/config/id_field", "/config/max_removed_ratio"}));
  EXPECT_EQ(faults(Connector::target, R"({"conflict_policy":"merge","on_removed":1})"),
            (Pointers{"/config/conflict_policy", "/config/on_removed"}));
  EXPECT_EQ(faults(Connector::target, R"({"conflict_policy":"source_wins","on_removed":"delete"})"),
            Pointers{});
}

}  // namespace
}  // namespace sm::sync
