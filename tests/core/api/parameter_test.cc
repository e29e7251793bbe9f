#include "core/api/parameter.h"

#include <gtest/gtest.h>

namespace sm::api {
namespace {

using Kind = Parameter::Kind;

constexpr std::string_view kColours[] = {"red", "green"};
constexpr Parameter kKnown[] = {
    {.name = "count", .kind = Kind::integer, .doc = {}, .low = 1, .high = 1000},
    {.name = "flag", .kind = Kind::boolean, .doc = {}},
    {.name = "colour", .kind = Kind::choice, .doc = {}, .choices = kColours},
    {.name = "since", .kind = Kind::time, .doc = {}},
    {.name = "name", .kind = Kind::text, .doc = {}, .low = 1, .high = 4},
    {.name = "cursor", .kind = Kind::cursor, .doc = {}}};

Arguments read(std::string_view query) {
  Result<Arguments> arguments = read_arguments(kKnown, query);
  EXPECT_TRUE(arguments.ok()) << query;
  return arguments.ok() ? std::move(arguments).value() : Arguments();
}

using Names = std::vector<std::string>;

// The parameters at fault.
Names faults(std::string_view query) {
  Names names;
  Result<Arguments> arguments = read_arguments(kKnown, query);
  if (arguments.ok()) return names;
  EXPECT_EQ(arguments.error().code, ErrorCode::invalid);
  for (const FieldError& error : arguments.error().fields.kept()) {
    EXPECT_EQ(error.in, FieldError::In::query);
    EXPECT_FALSE(error.detail.empty());
    names.push_back(error.where);
  }
  return names;
}

TEST(Arguments, WhatIsNotGivenIsNothing) {
  Arguments none = read("");
  EXPECT_EQ(none.integer("count"), std::nullopt);
  EXPECT_EQ(none.boolean("flag"), std::nullopt);
  EXPECT_EQ(none.text("colour"), std::nullopt);
  EXPECT_FALSE(none.time("since").has_value());
}

TEST(Arguments, EachKindIsReadAsItsType) {
  Arguments all = read("count=17&flag=false&colour=green&since=2026-01-15T10:30:00Z&name=%C3%A4");
  EXPECT_EQ(all.integer("count"), 17);
  EXPECT_EQ(all.boolean("flag"), false);
  EXPECT_EQ(all.text("colour"), "green");
  EXPECT_EQ(to_text(*all.time("since")), "2026-01-15T10:30:00.000Z");
  EXPECT_EQ(all.text("name"), "ä");
}

TEST(Arguments, ValuesThatNoRowCanHaveAreRefused) {
  for (const char* query : {"count=0", "count=1001", "count=", "count=1.0", "count=+1", "count=-1",
                            "count=1e2", "count=99999999999999999999", "count=%201", "count"}) {
    EXPECT_EQ(faults(query), Names{"count"}) << query;
  }
  for (const char* query : {"flag=1", "flag=TRUE", "flag=", "flag=yes", "flag=true%00"})
    EXPECT_EQ(faults(query), Names{"flag"}) << query;
  for (const char* query : {"colour=blue", "colour=", "colour=Red", "colour=red,green"})
    EXPECT_EQ(faults(query), Names{"colour"}) << query;
  for (const char* query : {"since=yesterday", "since=", "since=2026-01-15"})
    EXPECT_EQ(faults(query), Names{"since"}) << query;
  for (const char* query :
       {"name=", "name=12345", "name=a%00b", "name=%ff", "name=%c3", "name=%ed%a0%80"})
    EXPECT_EQ(faults(query), Names{"name"}) << query;
}

TEST(Arguments, UnknownOnesAndThoseGivenTwiceAreEachNamed) {
  EXPECT_EQ(faults("colur=red&count=1&flag=true&count=2&Flag=true"),
            (Names{"colur", "count", "Flag"}));
  EXPECT_EQ(faults("count=1&count=1"), Names{"count"});
  EXPECT_EQ(faults("=&&"), Names{""});
  EXPECT_EQ(faults("&&"), Names{});
}

TEST(Arguments, ABlankBeforeTheOffsetOfATimeIsThePlusThatItWas) {
  auto since = [](std::string_view text) {
    return to_text(*read("since=" + std::string(text)).time("since"));
  };
  EXPECT_EQ(since("2026-01-15T12:30:00+02:00"), "2026-01-15T10:30:00.000Z");
  EXPECT_EQ(since("2026-01-15T12:30:00%2B02:00"), "2026-01-15T10:30:00.000Z");
  EXPECT_EQ(since("2026-01-15T12:30:00%2002:00"), "2026-01-15T10:30:00.000Z");
  EXPECT_EQ(since("2026-01-15T12:30:00.5+02:00"), "2026-01-15T10:30:00.500Z");
  EXPECT_EQ(since("2026-01-15T08:30:00-02:00"), "2026-01-15T10:30:00.000Z");
  EXPECT_EQ(since("2026-01-15+10:30:00Z"), "2026-01-15T10:30:00.000Z") << "a blank in place of T";
  EXPECT_EQ(faults("since=2026-01-15T12:30:00++02:00"), Names{"since"});
  EXPECT_EQ(faults("since=+02:00"), Names{"since"});
}

TEST(ArgumentsDeathTest, ANameThatTheRouteDoesNotHaveTraps) {
  Arguments some = read("count=1");
  EXPECT_DEATH((void)some.integer("limit"), "check failed");
  EXPECT_DEATH((void)some.text("count"), "check failed");
}

}  // namespace
}  // namespace sm::api
