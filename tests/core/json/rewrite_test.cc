#include "core/json/rewrite.h"

#include <gtest/gtest.h>

namespace sm::json {
namespace {

TEST(rewrite, secrets_are_masked_at_any_depth_and_inside_lists) {
  std::string out = rewrite(
      R"({"a":{"password":"x"},"list":[{"password":{"y":1}},[{"password":null}],2],"password":"z"})",
      [](const RewriteMember& member) -> Rewrite {
        return member.key == "password" ? Rewrite::replace("\"***\"") : Rewrite::descend();
      });
  EXPECT_EQ(
      out,
      R"({"a":{"password":"***"},"list":[{"password":"***"},[{"password":"***"}],2],"password":"***"})");
}

TEST(rewrite, the_callback_sees_pointers_and_plain_keys_of_what_it_descends_into) {
  std::string seen;
  std::string_view text = R"({"a/b":[{"c\n":1},2],"kept":{"inner":1}})";
  std::string out = rewrite(text, [&](const RewriteMember& member) -> Rewrite {
    seen += std::string(member.pointer) + "|" + std::string(member.key) + "|" +
            std::string(member.value) + ";";
    return member.key == "kept" ? Rewrite::keep() : Rewrite::descend();
  });
  EXPECT_EQ(out, text);
  EXPECT_EQ(seen, "/a~1b|a/b|[{\"c\\n\":1},2];/a~1b/0/c\n|c\n|1;/kept|kept|{\"inner\":1};");
}

TEST(rewrite, scalars_and_empty_containers_are_copied) {
  auto descend = [](const RewriteMember&) -> Rewrite { return Rewrite::descend(); };
  for (const char* text : {"1", "\"x\"", "[]", "{}", R"([[],{},{"a":{}}])"}) {
    EXPECT_EQ(rewrite(text, descend), text);
  }
}

}  // namespace
}  // namespace sm::json
