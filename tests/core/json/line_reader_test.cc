#include "core/json/line_reader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "core/json/item_reader.h"

namespace sm::json {
namespace {

// One event as a line: "0 none {...}", "1 malformed 17", "end".
std::string shown(const Event& event) {
  if (event.kind == Event::Kind::end) return "end\n";
  if (event.kind == Event::Kind::cut_off) return "cut off\n";
  if (event.kind == Event::Kind::list) return "list\n";
  if (event.kind == Event::Kind::syntax) return "syntax " + std::to_string(event.offset) + '\n';
  std::string out = std::to_string(event.index) + ' ' + std::string(refusal_name(event.refusal));
  if (event.refusal == Refusal::malformed) return out + ' ' + std::to_string(event.offset) + '\n';
  out += ' ';
  out += event.text.size() < 200 ? event.text : std::to_string(event.text.size());
  return out + '\n';
}

// The sizes of chunks, one after the other; the last one again and again.
using Cuts = std::vector<size_t>;

// All events of a body. Every chunk has a place of its own size, so that the sanitizer sees each
// read behind it, and dies with the next feed.
std::string events_of(ItemStream& reader, std::string_view body, const Cuts& cuts) {
  Arena arena;
  std::string out;
  std::unique_ptr<char[]> chunk;
  size_t cut = 0;
  for (size_t at = 0;;) {
    Event event = reader.next(arena);
    if (event.kind != Event::Kind::need_more) {
      out += shown(event);
      arena.release_all();
      if (event.kind != Event::Kind::item) return out;
    } else if (at == body.size()) {
      reader.finish();
    } else {
      size_t size = std::min(cuts[std::min(cut++, cuts.size() - 1)], body.size() - at);
      auto next = std::make_unique<char[]>(size);
      body.copy(next.get(), size, at);
      chunk.swap(next);
      next.reset();
      reader.feed({chunk.get(), size});
      at += size;
    }
  }
}

std::string events(std::string_view body, const Cuts& cuts = {256 * 1024}) {
  LineReader reader(LastLine::any);
  return events_of(reader, body, cuts);
}

std::string events_to(LastLine last_line, std::string_view body) {
  LineReader reader(last_line);
  std::string whole = events_of(reader, body, {256 * 1024});
  for (size_t size : {1u, 2u, 3u, 5u}) {
    LineReader again(last_line);
    EXPECT_EQ(events_of(again, body, {size}), whole) << body << " in parts of " << size;
  }
  return whole;
}

std::string repeat(std::string_view text, size_t times) {
  std::string out;
  for (size_t i = 0; i < times; ++i) out += text;
  return out;
}

// What the reader must say, without chunks: the body is cut at its line ends, and each line is read
// as a text of its own.
std::string expected(std::string_view body) {
  std::string out;
  Arena arena;
  size_t index = 0;
  size_t at = 0;
  while (at < 3 && at < body.size() && body[at] == kByteOrderMark[at]) ++at;
  bool half_a_mark = at > 0 && at < 3;
  while (at < body.size() || half_a_mark) {
    size_t end = std::min(body.find('\n', at), body.size());
    size_t from = at;
    while (from < end && std::string_view(" \t\r").find(body[from]) != std::string_view::npos)
      ++from;
    Event event{Event::Kind::item, Refusal::malformed, index, {}, {}, at};
    if (!half_a_mark) {
      Canonicalizer canonicalizer;
      std::string line(body.substr(from, end - from));
      Canonical read = canonicalizer.read(line, BufferEnd::final, arena);
      size_t behind = read.offset;
      if (read.outcome == Outcome::done) {
        behind = std::min(line.find_first_not_of(" \t\r", read.offset), line.size());
      }
      bool whole = read.outcome == Outcome::done && behind == line.size();
      event = {Event::Kind::item,
               whole ? read.refusal : Refusal::malformed,
               index,
               whole ? read.text : std::string_view(),
               {},
               from + behind};
    }
    if (index == 0 && from < end && body[from] == '[' && !half_a_mark) return "list\n";
    if (half_a_mark || from < end) {
      out += shown(event);
      ++index;
    }
    half_a_mark = false;
    at = end + 1;
  }
  return out + "end\n";
}

TEST(line_reader, each_line_is_an_item_in_canonical_form) {
  EXPECT_EQ(events("{\"b\":1,\"a\":2}\n \"x\" \n1.50\n[ ]\nnull\n"),
            "0 none {\"a\":2,\"b\":1}\n1 none \"x\"\n2 none 1.5\n3 none []\n4 none null\nend\n");
}

TEST(line_reader, the_last_line_needs_no_end) {
  EXPECT_EQ(events("1\n2"), "0 none 1\n1 none 2\nend\n");
  EXPECT_EQ(events("{\"a\":1}"), "0 none {\"a\":1}\nend\n");
  EXPECT_EQ(events("1\n{"), "0 none 1\n1 malformed 3\nend\n");
  EXPECT_EQ(events("12\r"), "0 none 12\nend\n");
}

TEST(line_reader, a_last_line_that_is_no_json_may_be_a_cut) {
  constexpr LastLine kValue = LastLine::value;
  for (const char* cut :
       {"1\n{\"a\":1", "1\n{\"a\"", "1\n{", "1\n\"", "1\n? ", "1\n1 2", "1\n{}}x"}) {
    std::string told = events_to(kValue, cut);
    EXPECT_EQ(told.substr(told.find('\n') + 1), "1 malformed " + told.substr(told.rfind("ed ") + 3))
        << cut;
    EXPECT_EQ(told.substr(told.size() - 8), "cut off\n") << cut;
  }
  EXPECT_EQ(events_to(kValue, "1\n{}"), "0 none 1\n1 none {}\nend\n");
  EXPECT_EQ(events_to(kValue, "1\n{} \r"), "0 none 1\n1 none {}\nend\n");
  EXPECT_EQ(events_to(kValue, "{\n"), "0 malformed 1\nend\n");
  EXPECT_EQ(events_to(kValue, "?\n \t"), "0 malformed 0\nend\n") << "a blank line is none";
  EXPECT_EQ(events_to(kValue, "?\n{\"x\":1,\"x\":2}"),
            "0 malformed 0\n1 duplicate_key {\"x\":1,\"x\":2}\nend\n");
  EXPECT_EQ(events_to(kValue, ""), "end\n");
  EXPECT_EQ(events_to(kValue, "\xEF\xBB"), "0 malformed 2\ncut off\n");
}

TEST(line_reader, where_only_a_newline_ends_a_body_any_other_end_is_a_cut) {
  constexpr LastLine kNone = LastLine::none;
  EXPECT_EQ(events_to(kNone, "1\n{}"), "0 none 1\n1 none {}\ncut off\n");
  EXPECT_EQ(events_to(kNone, "1\n{}\n"), "0 none 1\n1 none {}\nend\n");
  EXPECT_EQ(events_to(kNone, "1\r\n\n \t\n"), "0 none 1\nend\n");
  EXPECT_EQ(events_to(kNone, "1\r\n\n \t"), "0 none 1\ncut off\n") << "a line may begin so";
  EXPECT_EQ(events_to(kNone, "?\n"), "0 malformed 0\nend\n");
  for (const char* nothing : {"", " ", "\n \n ", "\xEF\xBB\xBF"}) {
    EXPECT_EQ(events_to(kNone, nothing), "cut off\n") << nothing;
  }
  EXPECT_EQ(events_to(kNone, "\n"), "end\n");
}

TEST(line_reader, a_long_last_line_that_was_cut_is_told_too) {
  std::string line = "1\n{\"a\":\"" + std::string(kMaxRawItemBytes + 10, 'x');
  LineReader reader(LastLine::value);
  std::string told = events_of(reader, line, {256 * 1024});
  EXPECT_EQ(told.substr(told.size() - 8), "cut off\n");
  LineReader whole(LastLine::value);
  EXPECT_EQ(events_of(whole, line + "\"}", {256 * 1024}), "0 none 1\n1 too_large 8200\nend\n");
}

TEST(line_reader, a_body_whose_first_line_opens_a_list_is_no_ndjson) {
  for (const char* list : {"[", "[{\"id\":1}]", "\xEF\xBB\xBF \n\n [1]\n2\n"}) {
    EXPECT_EQ(events_to(LastLine::any, list), "list\n") << list;
  }
  EXPECT_EQ(events_to(LastLine::any, "1\n[2]\n"), "0 none 1\n1 none [2]\nend\n");
}

TEST(line_reader, lines_may_end_with_a_carriage_return) {
  EXPECT_EQ(events("1\r\n\r\n{}\r\n"), "0 none 1\n1 none {}\nend\n");
  EXPECT_EQ(events("1\r2\n"), "0 malformed 2\nend\n") << "alone it ends no line";
}

TEST(line_reader, blank_lines_are_not_counted) {
  EXPECT_EQ(events("\n\n1\n \t \n?\n\r\n2\n\n\n?\n\n"),
            "0 none 1\n1 malformed 8\n2 none 2\n3 malformed 16\nend\n");
  for (const char* blank :
       {"", "\n", "\r\n\r\n", " \n\t\n", "  ", "\xEF\xBB\xBF", "\xEF\xBB\xBF\n"})
    EXPECT_EQ(events(blank), "end\n") << blank;
}

TEST(line_reader, one_byte_order_mark_at_the_start_is_skipped) {
  EXPECT_EQ(events("\xEF\xBB\xBF{}\n{}"), "0 none {}\n1 none {}\nend\n");
  EXPECT_EQ(events("\xEF\xBB\xBF\n \xEF\xBB\xBF{}\n"), "0 malformed 5\nend\n");
  EXPECT_EQ(events("\xEF\xBB\xBF\xEF\xBB\xBF{}\n1"), "0 malformed 3\n1 none 1\nend\n");
  EXPECT_EQ(events("1\n\xEF\xBB\xBF{}\n2"), "0 none 1\n1 malformed 2\n2 none 2\nend\n");
  EXPECT_EQ(events("\xEF\xBB{}\n1"), "0 malformed 2\n1 none 1\nend\n");
  EXPECT_EQ(events("\xEF\n1"), "0 malformed 1\n1 none 1\nend\n");
  EXPECT_EQ(events("\xEF\xBB"), "0 malformed 2\nend\n");
}

TEST(line_reader, a_line_that_is_no_json_fails_alone_at_its_first_wrong_byte) {
  EXPECT_EQ(events("1\n{\"a\" 1}\n2"), "0 none 1\n1 malformed 7\n2 none 2\nend\n");
  EXPECT_EQ(events("{\"a\":1}}\n2"), "0 malformed 7\n1 none 2\nend\n");
  EXPECT_EQ(events("{\"a\":1} \t{}\n2"), "0 malformed 9\n1 none 2\nend\n");
  EXPECT_EQ(events("{\"a\":1},\n2"), "0 malformed 7\n1 none 2\nend\n");
  EXPECT_EQ(events("01\n2"), "0 malformed 1\n1 none 2\nend\n");
  EXPECT_EQ(events(std::string_view("\0\n2", 3)), "0 malformed 0\n1 none 2\nend\n");
}

TEST(line_reader, a_value_ends_with_its_line) {
  EXPECT_EQ(events("{\"a\":\n1}\n[1,\n2]\n"),
            "0 malformed 5\n1 malformed 7\n2 malformed 12\n3 malformed 14\nend\n");
  EXPECT_EQ(events("{\n}\n\"a\nb\"\n-\n1\ntru\ne\n"),
            "0 malformed 1\n1 malformed 2\n2 malformed 6\n3 malformed 7\n4 malformed 11\n5 none 1\n"
            "6 malformed 17\n7 malformed 18\nend\n");
  EXPECT_EQ(events("12\n34\n"), "0 none 12\n1 none 34\nend\n");
}

TEST(line_reader, a_line_that_is_no_utf8_fails_alone) {
  EXPECT_EQ(events("\"\xFF\"\n1"), "0 malformed 1\n1 none 1\nend\n");
  EXPECT_EQ(events("\"x\xE2\x82\"\n1"), "0 malformed 4\n1 none 1\nend\n");
  EXPECT_EQ(events("\"\xC3\n\xA9\"\n1"), "0 malformed 2\n1 malformed 3\n2 none 1\nend\n");
  EXPECT_EQ(events("\"\xED\xA0\x80\"\n\"\xC0\x80\"\n1"),
            "0 malformed 2\n1 malformed 7\n2 none 1\nend\n");
}

TEST(line_reader, a_refused_line_leaves_the_others_alone) {
  EXPECT_EQ(events("{\"a\":1,\"a\":2}\n\"\\ud800\"\n1e400\n" + repeat("[", 200) + repeat("]", 200) +
                   "\n1\n"),
            "0 duplicate_key {\"a\":1,\"a\":2}\n1 lone_surrogate []\n2 not_finite []\n"
            "3 too_deep 258\n4 none 1\nend\n");
  std::string large = "1" + repeat("0", kMaxPropertyBytes);
  EXPECT_EQ(events(large + "\n1\n", {1000}), "0 too_large \n1 none 1\nend\n");
  EXPECT_EQ(events(large + " x\n" + repeat("[", 200) + "\n1", {1000}),
            "0 malformed " + std::to_string(large.size() + 1) + "\n1 malformed " +
                std::to_string(large.size() + 203) + "\n2 none 1\nend\n")
      << "no JSON goes before any other refusal";
}

// Bodies that every way to cut them must leave as they are.
std::vector<std::string> nasty_bodies() {
  return {
      "\xEF\xBB\xBF{\"b\":1,\"a\":\"€\\u20ac\\n\"}\r\n 12 "
      "\n-1.5e3\n\r\n\ntrue\t\r\n\"\xF0\x9F\x98\x80\"",
      "\xEF\xBB{}\n\xEF\xBB\xBF{}\n",
      "{\"a\":\n1}\n\n\"x\xC3\ny\"\n\"x\ty\"\n\"\\ud83d\\ude00\"\n\"\\ud83d\"\nnul\n",
      "[1,2\n[1,2]]\n{\"a\":1}{\n{\"a\":1,\"a\":2}\n1e999\n00\n-\n1.\n1e\n",
      "\"" + repeat("x", 300) + "\"\n{\"id\":7}\n\"" + repeat("y", 150) + "\"z\n" +
          repeat(" ", 90) + "{}" + repeat(" ", 90) + "\r\n" + repeat("\n", 40) + "3",
      repeat("{\"k\":[1,2,3],\"a\":null}\n", 20) + repeat("[", 150) + "\n" + repeat("[", 130) +
          repeat("]", 130) + "\n0",
      std::string("\0\n\"\0\"\n\r\r\n\v\n\x1f\n\x7f\n", 15),
  };
}

TEST(line_reader, the_events_do_not_depend_on_the_chunks) {
  for (const std::string& body : nasty_bodies()) {
    std::string whole = events(body);
    ASSERT_EQ(whole, expected(body)) << body;
    for (size_t cut = 1; cut < body.size(); ++cut) {
      ASSERT_EQ(events(body, {cut, body.size()}), whole) << cut << ' ' << body;
      ASSERT_EQ(events(body, {cut, 1, body.size()}), whole) << cut << ' ' << body;
    }
    for (size_t size = 1; size < 64; ++size)
      ASSERT_EQ(events(body, {size}), whole) << size << ' ' << body;
    for (size_t end = 0; end < body.size(); ++end) {
      std::string part = body.substr(0, end);
      std::string wanted = expected(part);
      ASSERT_EQ(events(part), wanted) << part;
      ASSERT_EQ(events(part, {1}), wanted) << part;
      ASSERT_EQ(events(part, {7}), wanted) << part;
    }
  }
}

TEST(line_reader, random_bodies_are_read_as_their_lines_are) {
  const std::string_view kPieces[] = {"\n",
                                      "\n",
                                      "\r\n",
                                      "\n\n",
                                      " ",
                                      "\t",
                                      "\r",
                                      "{",
                                      "}",
                                      "[",
                                      "]",
                                      ",",
                                      ":",
                                      "\"",
                                      "\"a\"",
                                      "\"b\":",
                                      "1",
                                      "-0",
                                      "1.50",
                                      "1e400",
                                      "tr",
                                      "ue",
                                      "null",
                                      "{}",
                                      "\"a\":1,",
                                      "\"\\ud800\"",
                                      "\\",
                                      "\xC3",
                                      "\xA9",
                                      "€",
                                      "\xEF\xBB\xBF",
                                      "\xEF\xBB",
                                      "{\"a\":[1,{\"b\":\"c\"}],\"d\":\"0123456789abcdef\"}",
                                      "\x01",
                                      "[[[[[[",
                                      "\"a string of more than sixteen bytes\"",
                                      std::string_view("\0", 1)};
  std::mt19937 random(20261121);
  auto below = [&](size_t bound) { return random() % bound; };
  for (int round = 0; round < 20000; ++round) {
    std::string body;
    for (size_t pieces = below(24); pieces > 0; --pieces)
      body += kPieces[below(std::size(kPieces))];
    Cuts cuts;
    for (int i = 0; i < 40; ++i) cuts.push_back(1 + below(1 + below(40)));
    ASSERT_EQ(events(body, cuts), expected(body)) << round << '\n' << body;
  }
}

// Lines and items go the same way: a list of items and the same items as lines.
TEST(line_reader, items_have_the_outcome_that_they_have_in_a_list) {
  std::string large(kMaxPropertyBytes - 2, 'x');
  const std::string kItems[] = {"{\"b\":[1.0],\"a\":\"\\u00e9\"}",
                                "5",
                                "\"" + large + "\"",
                                "\"" + large + "y\"",
                                "[" + repeat("[", 127) + repeat("]", 128),
                                "[" + repeat("[", 128) + repeat("]", 129),
                                "\"" + large + large + large + "\\ud800\"",
                                "{\"a\":\"\\udc00\",\"a\":1e999}",
                                "[0" + repeat(",0", 60'000) + "]",
                                "{\"id\":1,\"l\":[0" + repeat(",0", 600'000) + "]}",
                                "-0"};
  std::string list, lines;
  for (const std::string& item : kItems) {
    list += (list.empty() ? "{\"data\":[" : ",") + item;
    lines += item + "\n";
  }
  ItemReader items;
  EXPECT_EQ(events(lines, {100'000}), events_of(items, list + "]}", {100'000}));
}

TEST(line_reader, raw_text_beyond_its_limit_is_skipped_and_refused) {
  std::string spaces(kMaxRawItemBytes - 2, ' ');
  std::string digits(kMaxRawItemBytes - 2, '0');
  const std::pair<std::string, std::string> kBodies[] = {
      {"{" + spaces + "}\n1", "0 none {}\n1 none 1\nend\n"},
      {"{ " + spaces + "}\n1", "0 too_large {}\n1 none 1\nend\n"},
      {"{ " + spaces + "}", "0 too_large {}\nend\n"},
      {"{ " + spaces + "}}\n1",
       "0 malformed " + std::to_string(spaces.size() + 3) + "\n1 none 1\nend\n"},
      {"{ " + spaces + "\n}", "0 malformed " + std::to_string(spaces.size() + 2) +
                                  "\n1 malformed " + std::to_string(spaces.size() + 3) + "\nend\n"},
      {"{ " + spaces + "x" + spaces + "\n1",
       "0 malformed " + std::to_string(spaces.size() + 2) + "\n1 none 1\nend\n"},
      {"1." + digits + "\n2\n", "0 none 1\n1 none 2\nend\n"},
      {"1." + digits + "0\n2\n", "0 too_large \n1 none 2\nend\n"},
      {"1." + digits + "0", "0 too_large \nend\n"},
      {"1." + digits + "\t", "0 none 1\nend\n"},
      {"1." + digits + "e\n2",
       "0 malformed " + std::to_string(digits.size() + 3) + "\n1 none 2\nend\n"},
      {"x" + spaces + spaces + "\n1", "0 malformed 0\n1 none 1\nend\n"},
  };
  for (const auto& [body, wanted] : kBodies) {
    for (size_t size : {size_t{256 * 1024}, kMaxRawItemBytes + 1, size_t{16} << 20}) {
      EXPECT_EQ(events(body, {size}), wanted) << size << ' ' << body.size();
    }
    EXPECT_EQ(events(body, {kMaxRawItemBytes - 1, 1, 1, 1 << 20}), wanted) << body.size();
  }
}

TEST(line_reader, white_space_around_a_value_does_not_count_against_it) {
  std::string spaces(2 * kMaxRawItemBytes, ' ');
  for (size_t size : {size_t{100'000}, size_t{32} << 20}) {
    EXPECT_EQ(events(spaces + "{\"a\":1}" + spaces + "\n1", {size}),
              "0 none {\"a\":1}\n1 none 1\nend\n");
    EXPECT_EQ(events("{\"a\":1,\"a\":2}" + spaces, {size}),
              "0 duplicate_key {\"a\":1,\"a\":2}\nend\n");
    EXPECT_EQ(events("{\"a\":1}" + spaces + "\r\t}" + spaces + "\n1", {size}),
              "0 malformed " + std::to_string(spaces.size() + 9) + "\n1 none 1\nend\n");
    EXPECT_EQ(events(spaces + "\n" + spaces, {size}), "end\n");
  }
}

TEST(line_reader, what_fails_leaves_nothing_in_the_arena) {
  Arena arena;
  LineReader reader(LastLine::any);
  reader.feed("\"\\u0041\" x\n{\"a\":\"\\u0041\",}\n[\"\\u0041\"\n");
  size_t before = arena.mark().used;
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(reader.next(arena).refusal, Refusal::malformed);
    EXPECT_EQ(arena.mark().used, before);
  }
}

TEST(line_reader, the_last_event_is_given_again) {
  LineReader reader(LastLine::any);
  Arena arena;
  reader.feed("1\n");
  EXPECT_EQ(reader.next(arena).text, "1");
  EXPECT_EQ(reader.next(arena).kind, Event::Kind::need_more);
  reader.finish();
  EXPECT_EQ(reader.next(arena).kind, Event::Kind::end);
  EXPECT_EQ(reader.next(arena).kind, Event::Kind::end);
  EXPECT_TRUE(reader.problems().empty());
}

}  // namespace
}  // namespace sm::json
