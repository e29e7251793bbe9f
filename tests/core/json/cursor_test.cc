#include "core/json/cursor.h"

#include <gtest/gtest.h>

#include <string>

namespace sm::json {
namespace {

TEST(cursor, the_first_byte_tells_the_type) {
  EXPECT_EQ(type_of("null"), ValueType::null);
  EXPECT_EQ(type_of("true"), ValueType::boolean);
  EXPECT_EQ(type_of("false"), ValueType::boolean);
  EXPECT_EQ(type_of("-1"), ValueType::number);
  EXPECT_EQ(type_of("\"\""), ValueType::string);
  EXPECT_EQ(type_of("[]"), ValueType::array);
  EXPECT_EQ(type_of("{}"), ValueType::object);
}

TEST(cursor, members_and_elements_come_in_order_as_views) {
  std::string seen;
  std::string_view text = R"({"a":[1,{"x":"]}"},"\\"],"b\"":{},"c":-1.5e+30})";
  for (MemberCursor member(text); member.next();) {
    seen += std::string(member.key()) + "=" + std::string(member.value()) + ";";
  }
  EXPECT_EQ(seen, R"("a"=[1,{"x":"]}"},"\\"];"b\""={};"c"=-1.5e+30;)");
  seen.clear();
  for (ElementCursor element(R"([1,{"x":"]}"},"\\",[],null])"); element.next();) {
    seen += std::string(element.value()) + ";";
  }
  EXPECT_EQ(seen, R"(1;{"x":"]}"};"\\";[];null;)");
  EXPECT_FALSE(MemberCursor("{}").next());
  EXPECT_FALSE(ElementCursor("[]").next());
}

TEST(cursor, skipping_a_value_finds_the_byte_behind_it) {
  std::string_view text = R"([{"long key of more than sixteen bytes":"with \" and \\"},12,"x"])";
  EXPECT_EQ(skip_value(text, 0), text.size());
  EXPECT_EQ(text.substr(skip_value(text, 1)), R"(,12,"x"])");
  EXPECT_EQ(skip_value("12", 0), 2u);
}

TEST(cursor, quoting_and_unquoting_are_inverse) {
  std::string all;
  for (int c = 0; c < 128; ++c) all += static_cast<char>(c);
  all += "é€😀";
  EXPECT_EQ(unquote(quote(all)), all);
  EXPECT_EQ(quote("a\"\\\n\x01\x1f/"), R"("a\"\\\n\u0001\u001f/")");
  EXPECT_EQ(unquote(R"("\b\t\n\f\r\u0000\u001f\"\\")"), std::string("\b\t\n\f\r\0\x1f\"\\", 9));
}

TEST(cursor, a_member_is_found_by_its_plain_name) {
  std::string_view object = R"({"":0,"a\nb":1,"id":"x"})";
  EXPECT_EQ(find_member(object, "id"), "\"x\"");
  EXPECT_EQ(find_member(object, "a\nb"), "1");
  EXPECT_EQ(find_member(object, ""), "0");
  EXPECT_EQ(find_member(object, "i"), std::nullopt);
  EXPECT_EQ(find_member("[1]", "id"), std::nullopt);
}

}  // namespace
}  // namespace sm::json
