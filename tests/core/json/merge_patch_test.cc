#include "core/json/merge_patch.h"

#include <gtest/gtest.h>

#include "core/json/canonical.h"

namespace sm::json {
namespace {

TEST(merge_patch, the_cases_of_rfc_7396_appendix_a) {
  const char* cases[][3] = {
      {R"({"a":"b"})", R"({"a":"c"})", R"({"a":"c"})"},
      {R"({"a":"b"})", R"({"b":"c"})", R"({"a":"b","b":"c"})"},
      {R"({"a":"b"})", R"({"a":null})", R"({})"},
      {R"({"a":"b","b":"c"})", R"({"a":null})", R"({"b":"c"})"},
      {R"({"a":["b"]})", R"({"a":"c"})", R"({"a":"c"})"},
      {R"({"a":"c"})", R"({"a":["b"]})", R"({"a":["b"]})"},
      {R"({"a":{"b":"c"}})", R"({"a":{"b":"d","c":null}})", R"({"a":{"b":"d"}})"},
      {R"({"a":[{"b":"c"}]})", R"({"a":[1]})", R"({"a":[1]})"},
      {R"(["a","b"])", R"(["c","d"])", R"(["c","d"])"},
      {R"({"a":"b"})", R"(["c"])", R"(["c"])"},
      {R"({"a":"foo"})", "null", "null"},
      {R"({"a":"foo"})", "\"bar\"", "\"bar\""},
      {R"({"e":null})", R"({"a":1})", R"({"a":1,"e":null})"},
      {R"([1,2])", R"({"a":"b","c":null})", R"({"a":"b"})"},
      {R"({})", R"({"a":{"bb":{"ccc":null}}})", R"({"a":{"bb":{}}})"},
  };
  for (auto [target, patch, result] : cases) EXPECT_EQ(merge_patch(target, patch), result) << patch;
}

TEST(merge_patch, members_stay_in_canonical_order) {
  EXPECT_EQ(merge_patch("{\"a\\n\":1,\"b\":2,\"\uFB33\":3}", "{\"a\":4,\"b\":null,\"😀\":5}"),
            "{\"a\":4,\"a\\n\":1,\"😀\":5,\"\uFB33\":3}");
}

TEST(merge_patch, as_deep_as_a_property_may_be) {
  std::string deep = "1";
  for (size_t i = 0; i < kMaxDepth; ++i) deep = "{\"a\":" + deep + "}";
  EXPECT_EQ(merge_patch("{}", deep), deep);
  EXPECT_EQ(merge_patch(deep, deep), deep);
}

}  // namespace
}  // namespace sm::json
