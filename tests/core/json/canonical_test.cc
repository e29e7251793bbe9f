#include "core/json/canonical.h"

#include <gtest/gtest.h>

#include <string>

namespace sm::json {
namespace {

// The canonical form; `syntax 3` or the refusal's name where there is none.
std::string canonical(std::string_view text, size_t max_bytes = kMaxPropertyBytes) {
  Arena arena;
  // In a place of its own size, so that a sanitizer sees reads behind it.
  std::unique_ptr<char[]> exact(new char[text.size()]);
  text.copy(exact.get(), text.size());
  Canonical result = canonicalize({exact.get(), text.size()}, arena, max_bytes);
  if (result.outcome == Outcome::syntax) return "syntax " + std::to_string(result.offset);
  if (result.refusal != Refusal::none) return std::string(refusal_name(result.refusal));
  return std::string(result.text);
}

std::string repeat(std::string_view text, size_t times) {
  std::string out;
  for (size_t i = 0; i < times; ++i) out += text;
  return out;
}

TEST(canonical, the_example_of_rfc_8785_section_3_2_2) {
  EXPECT_EQ(canonical(R"({
    "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
    "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
    "literals": [null, true, false]
  })"),
            "{\"literals\":[null,true,false],"
            "\"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27],"
            "\"string\":\"€$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}");
}

TEST(canonical, keys_sort_by_utf_16_as_in_rfc_8785_section_3_2_3) {
  EXPECT_EQ(canonical(R"({"\u20ac":"Euro Sign","\r":"Carriage Return",
      "\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One","\ud83d\ude00":"Emoji: Grinning Face",
      "\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis"})"),
            "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\u0080\":\"Control\","
            "\"ö\":\"Latin Small Letter O With Diaeresis\",\"€\":\"Euro Sign\","
            "\"😀\":\"Emoji: Grinning Face\",\"\uFB33\":\"Hebrew Letter Dalet With Dagesh\"}");
}

TEST(canonical, escaped_keys_sort_by_what_they_stand_for) {
  EXPECT_EQ(canonical(R"({"a!":1,"a\n":2,"a":3,"a\u0000":4,"a\"":5,"a\\":6,"aZ":7})"),
            R"({"a":3,"a\u0000":4,"a\n":2,"a!":1,"a\"":5,"aZ":7,"a\\":6})");
}

TEST(canonical, numbers_are_printed_as_appendix_b_of_rfc_8785_prints_them) {
  const char* cases[][2] = {
      {"5e-324", "5e-324"},
      {"-5e-324", "-5e-324"},
      {"1.7976931348623157e308", "1.7976931348623157e+308"},
      {"9007199254740992", "9007199254740992"},
      {"295147905179352830000.0", "295147905179352830000"},
      {"9.999999999999997e22", "9.999999999999997e+22"},
      {"1e23", "1e+23"},
      {"1.0000000000000001e23", "1.0000000000000001e+23"},
      {"999999999999999700000.0", "999999999999999700000"},
      {"999999999999999900000.0", "999999999999999900000"},
      {"1e21", "1e+21"},
      {"9.999999999999997e-7", "9.999999999999997e-7"},
      {"0.000001", "0.000001"},
      {"333333333.3333332", "333333333.3333332"},
      {"333333333.33333325", "333333333.33333325"},
      {"333333333.3333334", "333333333.3333334"},
      {"-0.0000033333333333333333", "-0.0000033333333333333333"},
      {"1424953923781206.25", "1424953923781206.2"},
      {"-0.0", "0"},
      {"-0e10", "0"},
      {"0e400", "0"},
      {"1e-400", "0"},
      {"0.1e1", "1"},
      {"100e-2", "1"},
      {"5.684341886080801486968994140625E-14", "5.684341886080802e-14"},
  };
  for (auto [in, out] : cases) EXPECT_EQ(canonical(in), out) << in;
}

TEST(canonical, sixteen_and_seventeen_digits_stay_only_where_nothing_shorter_reads_back) {
  const char* cases[][2] = {
      {"0.1234567890123456", "0.1234567890123456"},
      {"0.12345678901234568", "0.12345678901234568"},
      {"0.10000000000000001", "0.1"},
      {"0.30000000000000004", "0.30000000000000004"},
      {"52.516274999999999", "52.516275"},
      {"13.377703999999998", "13.377703999999998"},
      {"2251799813685249.5", "2251799813685249.5"},
      {"9007199254740991.5", "9007199254740992"},
      {"0.12345678901234567", "0.12345678901234566"},
  };
  for (auto [in, out] : cases) EXPECT_EQ(canonical(in), out) << in;
}

TEST(canonical, integers_keep_their_digits) {
  for (const char* token :
       {"0", "1", "-1", "9007199254740993", "-123456789012345678901234567890"}) {
    EXPECT_EQ(canonical(token), token);
  }
  EXPECT_EQ(canonical("-0"), "0");
  EXPECT_EQ(canonical(repeat("9", 400)), repeat("9", 400));
}

TEST(canonical, a_number_beyond_the_doubles_refuses_its_value) {
  EXPECT_EQ(canonical("1e400"), "not_finite");
  EXPECT_EQ(canonical("[1,-1e309]"), "not_finite");
  EXPECT_EQ(canonical("1" + repeat("0", 400) + ".0"), "not_finite");
  EXPECT_EQ(canonical("1e" + repeat("9", 400)), "not_finite");
  EXPECT_EQ(canonical("0." + repeat("0", 400) + "1e401"), "1");
}

TEST(canonical, strings_take_the_shortest_escapes) {
  EXPECT_EQ(canonical(R"("\b\f\n\r\t\"\\\/\u0008\u001F\u007f\u00e9\ud83d\ude00\u2028")"),
            "\"\\b\\f\\n\\r\\t\\\"\\\\/\\b\\u001f\x7f"
            "é😀\u2028\"");
}

TEST(canonical, lone_surrogates_and_repeated_keys_refuse_their_value) {
  for (const char* text : {R"("\ud800")", R"("\udc00")", R"("\ud800\ud800\udc00")", R"("\ud83dx")",
                           R"({"\ud800":1})"}) {
    EXPECT_EQ(canonical(text), "lone_surrogate") << text;
  }
  EXPECT_EQ(canonical(R"({"a":1,"b":2,"a":1})"), "duplicate_key");
  EXPECT_EQ(canonical(R"({"a":1,"\u0061":2})"), "duplicate_key");
  EXPECT_EQ(canonical(R"([{"x":{"é":1,"\u00e9":1}}])"), "duplicate_key");
}

TEST(canonical, a_refused_value_still_has_a_text_to_find_its_identity_in) {
  Arena arena;
  Canonical result = canonicalize(R"({"n":1e999,"id":"\ud800","a":1,"a":2})", arena);
  EXPECT_EQ(result.refusal, Refusal::not_finite);
  EXPECT_EQ(result.text, R"({"a":1,"a":2,"id":[],"n":[]})") << "no identity is a list";
  EXPECT_EQ(canonicalize(R"({"\udc00":1,"id":2})", arena).text, "{\"id\":2,\"\uFFFD\":1}");
  std::string deep = repeat("[", 128) + repeat("]", 128);
  EXPECT_EQ(canonicalize("{\"id\":" + deep + "}", arena).text,
            "{\"id\":" + repeat("[", 128) + repeat("]", 128) + "}");
}

// The pointer of what is refused.
std::string refused_at(std::string_view text) {
  Arena arena;
  Canonical result = canonicalize(text, arena);
  EXPECT_NE(result.refusal, Refusal::none) << text;
  return std::string(result.pointer);
}

TEST(canonical, a_refusal_names_the_member_at_fault) {
  const std::pair<std::string_view, std::string_view> kCases[] = {
      {"1e400", ""},
      {R"("\ud800")", ""},
      {R"({"a":{"b":[1,2,{"c":"\ud800"}]}})", "/a/b/2/c"},
      {R"([[],[{}],[1,[-1e999]]])", "/2/1/0"},
      {R"({"x":[{"a":1}],"k":{"b":0,"a":1,"z":0,"a":2}})", "/k/a"},
      {R"({"a":1,"a":2})", "/a"},
      {R"([0,{"a":1,"\u0061":2}])", "/1/a"},
      {R"({"a/b":{"~":1e999}})", "/a~1b/~0"},
      {R"({"a":{"\ud800":1}})", "/a/\uFFFD"},
      {R"({"":{"":"\udc00"}})", "//"},
      {R"({"a":1e400,"b":"\ud800","c":{"d":1,"d":1}})", "/a"},
      {R"({"b":{"x":1},"a":{"x":[1e400]}})", "/a/x/0"},
  };
  for (const auto& [text, pointer] : kCases) EXPECT_EQ(refused_at(text), pointer) << text;
  // Twice, by one canonicaliser: the second time its keys are expected.
  Canonicalizer canonicalizer;
  for (int time = 0; time < 2; ++time) {
    Arena arena;
    std::string_view text = R"({"id":1,"rooms":[{"size":1,"note":"\ud800"}],"z":1})";
    EXPECT_EQ(canonicalizer.read(text, BufferEnd::final, arena).pointer, "/rooms/0/note");
  }
}

TEST(canonical, a_pointer_that_is_too_long_or_too_deep_names_what_is_around) {
  EXPECT_EQ(refused_at("{\"id\":1e400,\"Rooms\":" + repeat("[", 130) + repeat("]", 130) + "}"),
            "/Rooms" + repeat("/0", 127));
  std::string key(kMaxFaultPointerBytes - 2, 'k');
  EXPECT_EQ(refused_at("{\"a\":{\"" + key + "\":1e400}}"), "/a");
  EXPECT_EQ(refused_at("{\"" + key + "\":1e400}"), "/" + key);
  EXPECT_EQ(refused_at("{\"" + key + "xx\":{\"a\":1e400}}"), "");
}

TEST(canonical, a_syntax_error_names_the_first_byte_that_cannot_go_on) {
  const std::pair<std::string_view, size_t> cases[] = {
      {"", 0},
      {" ", 1},
      {"[1,]", 3},
      {"{\"a\":1,}", 7},
      {"01", 1},
      {"-a", 1},
      {"1.", 2},
      {"1.e", 2},
      {"1e+", 3},
      {"truX", 3},
      {"tru", 3},
      {"nul]", 3},
      {"\"\n\"", 1},
      {"\"\\x\"", 2},
      {"\"\\u12G4\"", 5},
      {"\"abc", 4},
      {"[1 2]", 3},
      {"{\"a\" 1}", 5},
      {"{1:2}", 1},
      {"1 2", 2},
      {"\"\xC0\x80\"", 1},
      {"\"\xE2(\"", 2},
      {"\"\xE0\x80\x80\"", 2},
      {"\"\xED\xA0\x80\"", 2},
      {"\"\xF4\x90\x80\x80\"", 2},
      {"\"\xF5\"", 1},
      {"\"\xE2\x82", 3},
      {"\xEF\xBB\xBF", 3},
      {"\xEF\xBB", 2},
      {"\xEF\xBB\xBF\xEF\xBB\xBF"
       "1",
       3},
      {"[1}", 2},
      {"NaN", 0},
      {"+1", 0},
      {".5", 0},
      {"'a'", 0},
      {"[1,,2]", 3},
      {"/**/1", 0},
      {"\f1", 0},
  };
  for (auto [text, offset] : cases) {
    EXPECT_EQ(canonical(text), "syntax " + std::to_string(offset)) << text;
  }
}

TEST(canonical, a_syntax_error_goes_before_a_refusal) {
  EXPECT_EQ(canonical(R"([1e999,"\ud800",)"), "syntax 16");
  EXPECT_EQ(canonical(repeat("[", 200) + "}"), "syntax 200");
  EXPECT_EQ(canonical("[\"" + repeat("x", 100) + "\",]", 20), "syntax 104");
}

TEST(canonical, depth_counts_from_the_value_itself) {
  EXPECT_EQ(canonical(repeat("[", 128) + repeat("]", 128)), repeat("[", 128) + repeat("]", 128));
  EXPECT_EQ(canonical(repeat("[", 129) + repeat("]", 129)), "too_deep");
  EXPECT_EQ(canonical(repeat("{\"a\":", 129) + "1" + repeat("}", 129)), "too_deep");
  EXPECT_EQ(canonical(repeat("[{\"a\":", 500000) + "1" + repeat("}]", 500000)), "too_deep");
}

TEST(canonical, a_body_has_a_level_around_its_values) {
  Arena arena;
  auto refusal = [&](size_t depth) {
    std::string text = repeat("[", depth) + repeat("]", depth);
    return canonicalize(text, arena, kMaxPropertyBytes, kMaxBodyDepth).refusal;
  };
  EXPECT_EQ(refusal(129), Refusal::none);
  EXPECT_EQ(refusal(130), Refusal::too_deep);
}

TEST(canonical, the_limit_is_on_the_canonical_form) {
  EXPECT_EQ(canonical("[ 1 , 2 ]", 5), "[1,2]");
  EXPECT_EQ(canonical("[ 1 , 2 ]", 4), "too_large");
  EXPECT_EQ(canonical("[100e-2]", 3), "[1]");
  EXPECT_EQ(canonical("{\"a\":[]}", 8), "{\"a\":[]}");
  EXPECT_EQ(canonical("{\"a\":[]}", 7), "too_large");
}

TEST(canonical, a_buffer_that_ends_early_asks_for_more_at_every_byte) {
  std::string text = R"({"b":[1,-2.5e+3,"x\u00e9\n€😀",true,null],"a":{}})";
  Canonicalizer canonicalizer;
  Arena arena;
  for (size_t size = 0; size < text.size(); ++size) {
    Canonical part = canonicalizer.read({text.data(), size}, BufferEnd::more, arena);
    EXPECT_EQ(part.outcome, Outcome::need_more) << size;
    part = canonicalizer.read({text.data(), size}, BufferEnd::final, arena);
    EXPECT_EQ(part.outcome, Outcome::syntax) << size;
    EXPECT_EQ(part.offset, size);
  }
  Canonical whole = canonicalizer.read(text + ",", BufferEnd::more, arena);
  EXPECT_EQ(whole.outcome, Outcome::done);
  EXPECT_EQ(whole.offset, text.size());
}

TEST(canonical, a_number_is_over_only_where_something_follows) {
  Canonicalizer canonicalizer;
  Arena arena;
  EXPECT_EQ(canonicalizer.read("12", BufferEnd::more, arena).outcome, Outcome::need_more);
  EXPECT_EQ(canonicalizer.read("12", BufferEnd::final, arena).text, "12");
  EXPECT_EQ(canonicalizer.read("12 ", BufferEnd::more, arena).offset, 2u);
  EXPECT_EQ(canonicalizer.read("1.50]", BufferEnd::more, arena).text, "1.5");
}

TEST(canonical, the_order_of_keys_of_one_object_does_not_lead_the_next_astray) {
  Canonicalizer canonicalizer;
  Arena arena;
  auto read = [&](std::string_view text) {
    return std::string(canonicalizer.read(text, BufferEnd::final, arena).text);
  };
  const char* padding = R"(,"z":"long enough that keys can be compared as blocks"})";
  auto with = [&](std::string text) { return text + padding; };
  EXPECT_EQ(read(with(R"({"b":1,"a":2,"c":{"y":1,"x":2})")),
            with(R"({"a":2,"b":1,"c":{"x":2,"y":1})"));
  EXPECT_EQ(read(with(R"({"b":1,"a":2,"c":{"y":1,"x":2})")),
            with(R"({"a":2,"b":1,"c":{"x":2,"y":1})"));
  EXPECT_EQ(read(with(R"({"b":1,"c":{"y":1,"x":2})")), with(R"({"b":1,"c":{"x":2,"y":1})"));
  EXPECT_EQ(read(with(R"({"a":1,"b":{"y":1,"x":2})")), with(R"({"a":1,"b":{"x":2,"y":1})"));
  EXPECT_EQ(read(with(R"({"b":1,"aa":2,"b":3)")), with(R"({"aa":2,"b":1,"b":3)"));
  EXPECT_EQ(read(with(R"({"b":{"b":{"b":{"b":1,"a":2},"a":3},"a":4},"a":5)")),
            with(R"({"a":5,"b":{"a":4,"b":{"a":3,"b":{"a":2,"b":1}}})"));
}

TEST(canonical, more_keys_than_a_shape_holds_are_sorted_all_the_same) {
  std::string in = "{", out = "{";
  for (int i = 0; i < 300; ++i) {
    in += (i ? ",\"k" : "\"k") + std::to_string(1000 + i * 7 % 300) + "\":1";
    out += (i ? ",\"k" : "\"k") + std::to_string(1000 + i) + "\":1";
  }
  EXPECT_EQ(canonical(in + "}"), out + "}");
}

}  // namespace
}  // namespace sm::json
