#include "core/json/item_reader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace sm::json {
namespace {

std::string kind_name(ShapeProblem::Kind kind) {
  switch (kind) {
    case ShapeProblem::Kind::not_object:
      return "not_object";
    case ShapeProblem::Kind::missing:
      return "missing";
    case ShapeProblem::Kind::not_list:
      return "not_list";
    case ShapeProblem::Kind::duplicate:
      return "duplicate";
    case ShapeProblem::Kind::unknown:
      return "unknown";
  }
  return "";
}

// All events as lines, and the problems behind them. Every chunk has a place of its own that dies
// with the next feed.
std::string events(std::string_view body, size_t chunk_bytes) {
  ItemReader reader;
  Arena arena;
  std::string out, chunk;
  for (size_t at = 0;;) {
    Event event = reader.next(arena);
    switch (event.kind) {
      case Event::Kind::item:
        out += std::to_string(event.index) + ' ' + std::string(refusal_name(event.refusal)) + ' ';
        out += event.text.size() < 200 ? event.text : std::to_string(event.text.size());
        out += '\n';
        arena.release_all();
        break;
      case Event::Kind::need_more:
        if (at == body.size()) {
          reader.finish();
        } else {
          std::string(body.substr(at, chunk_bytes)).swap(chunk);
          at = std::min(at + chunk_bytes, body.size());
          reader.feed(chunk);
        }
        break;
      case Event::Kind::syntax:
        return out + "syntax " + std::to_string(event.offset) + '\n';
      case Event::Kind::end:
        for (const ShapeProblem& problem : reader.problems()) {
          out += problem.pointer + ' ' + kind_name(problem.kind) + '\n';
        }
        return out + "end\n";
      case Event::Kind::cut_off:
      case Event::Kind::list:
        return out + "of lines\n";
    }
  }
}

std::string events(std::string_view body) { return events(body, 256 * 1024); }

std::string repeat(std::string_view text, size_t times) {
  std::string out;
  for (size_t i = 0; i < times; ++i) out += text;
  return out;
}

TEST(item_reader, items_come_one_by_one_in_canonical_form) {
  EXPECT_EQ(events(R"({"data":[{"b":1,"a":2}, "x",1.50,[ ],null]})"),
            "0 none {\"a\":2,\"b\":1}\n1 none \"x\"\n2 none 1.5\n3 none []\n4 none null\nend\n");
  EXPECT_EQ(events(R"({"data":[]})"), "end\n");
  EXPECT_EQ(events("\xEF\xBB\xBF { \"data\" : [ 1 ] } \n"), "0 none 1\nend\n");
}

TEST(item_reader, a_refused_item_leaves_the_others_alone) {
  EXPECT_EQ(events(R"({"data":[{"a":1,"a":2},"\ud800",1e400,)" + repeat("[", 200) +
                   repeat("]", 200) + ",1]}"),
            "0 duplicate_key {\"a\":1,\"a\":2}\n1 lone_surrogate []\n2 not_finite []\n"
            "3 too_deep 258\n4 none 1\nend\n");
  EXPECT_EQ(events("{\"data\":[1" + repeat("0", kMaxPropertyBytes) + ",1]}"),
            "0 too_large \n1 none 1\nend\n");
}

TEST(item_reader, the_shape_of_the_body_is_checked_to_its_end) {
  EXPECT_EQ(events("[1,2]"), " not_object\nend\n");
  EXPECT_EQ(events("17"), " not_object\nend\n");
  EXPECT_EQ(events("{}"), "/data missing\nend\n");
  EXPECT_EQ(events(R"({"data":{"a":[1]}})"), "/data not_list\nend\n");
  EXPECT_EQ(events(R"({"data":null})"), "/data not_list\nend\n");
  EXPECT_EQ(events(R"({"data":[1],"data":[2]})"), "0 none 1\n/data duplicate\nend\n");
  EXPECT_EQ(events(R"({"a/b~c":1,"data":[1],"x":{"y":2},"x":3,"\u0078\n":4})"),
            "0 none 1\n/a~1b~0c unknown\n/x unknown\n/x duplicate\n/x\n unknown\nend\n");
  EXPECT_EQ(events(R"({"\u0064ata":[1]})"), "0 none 1\nend\n");
}

TEST(item_reader, problems_of_shape_are_counted_up_to_a_limit) {
  std::string body = "{";
  for (int i = 0; i < 500; ++i) body += "\"k" + std::to_string(i) + "\":0,";
  std::string all = events(body + "\"data\":[1]}");
  EXPECT_EQ(static_cast<size_t>(std::count(all.begin(), all.end(), '\n')), kMaxShapeProblems + 2);
}

TEST(item_reader, a_very_long_name_is_an_unknown_member_with_a_pointer_cut_off) {
  for (const char* unit : {"x", "€", "\\n", "\\ud83d\\ude00", "x\\\\"}) {
    std::string all = events("{\"" + repeat(unit, 5000) + "\":1,\"data\":[]}", 100);
    EXPECT_LE(all.size(), kMaxTopKeyBytes + 20) << unit;
    EXPECT_GE(all.size(), 300u) << unit;
    EXPECT_NE(all.find(" unknown\nend\n"), std::string::npos) << unit;
  }
}

TEST(item_reader, syntax_errors_count_from_the_first_byte_of_the_body) {
  EXPECT_EQ(events(""), "syntax 0\n");
  EXPECT_EQ(events("  "), "syntax 2\n");
  EXPECT_EQ(events("\xEF\xBB"), "syntax 2\n");
  EXPECT_EQ(events("\xEF\xBB\xBF{\"data\":[1,]}"), "0 none 1\nsyntax 14\n");
  EXPECT_EQ(events("{\"data\":[1,2"), "0 none 1\nsyntax 12\n");
  EXPECT_EQ(events("{\"data\":[1]"), "0 none 1\nsyntax 11\n");
  EXPECT_EQ(events("{\"data\":[1]}x"), "0 none 1\nsyntax 12\n");
  EXPECT_EQ(events("{\"other\":[1}"), "syntax 11\n");
  EXPECT_EQ(events("17x"), "syntax 2\n");
  EXPECT_EQ(events("{\"data\":[1 2]}"), "0 none 1\nsyntax 11\n");
}

TEST(item_reader, syntax_goes_before_shape) {
  EXPECT_EQ(events("{\"x\":1,\"data\":7,}"), "syntax 16\n");
  EXPECT_EQ(events("[1,2"), "syntax 4\n");
}

TEST(item_reader, the_events_do_not_depend_on_the_chunks) {
  std::string bodies[] = {
      "\xEF\xBB\xBF{\"data\": [{\"b\":1,\"a\":\"€\\u20ac\\n\"}, 12 "
      ",-1.5e3,true,\"\xF0\x9F\x98\x80\"], \"x\\u0041\":[{}]} ",
      "{\"data\":[\"" + repeat("x", 3000) + "\",{\"id\":7},\"" + repeat("y", 1500) +
          "\",1e400,3],\"data\":[[4]]}",
      "{\"data\":[" + repeat("{\"k\":[1,2,3],\"a\":null},", 300) + "0]}",
      "{\"a\":\"" + repeat("\\u00e9", 300) + "\",\"data\":[1,tru]}",
      "{\"data\":[1],\"b\":\"\xC3(\"}",
      "-12.5e3",
      "\"\\ud83d\\ude00\" ",
  };
  for (const std::string& body : bodies) {
    std::string whole = events(body);
    for (size_t size = 1; size < 120; ++size)
      ASSERT_EQ(events(body, size), whole) << size << ' ' << body;
    for (size_t size = 120; size <= body.size(); size += 97)
      ASSERT_EQ(events(body, size), whole) << size;
    for (size_t cut = 0; cut < body.size() && cut < 300; ++cut) {
      ASSERT_EQ(events(body.substr(0, cut), 7), events(body.substr(0, cut))) << cut << ' ' << body;
    }
  }
}

TEST(item_reader, raw_text_beyond_its_limit_is_skipped_and_refused) {
  std::string spaces(kMaxRawItemBytes - 2, ' ');
  std::string fits = "{\"data\":[[" + spaces + "],1]}";
  std::string beyond = "{\"data\":[[ " + spaces + "],{\"a\":1}]}";
  std::string number = "{\"data\":[1." + repeat("0", kMaxRawItemBytes) + ",2]}";
  for (size_t size : {size_t{10000}, size_t{256 * 1024}, size_t{16} << 20}) {
    EXPECT_EQ(events(fits, size), "0 none []\n1 none 1\nend\n") << size;
    EXPECT_EQ(events(beyond, size), "0 too_large []\n1 none {\"a\":1}\nend\n") << size;
    EXPECT_EQ(events(number, size), "0 too_large \n1 none 2\nend\n") << size;
    EXPECT_EQ(events(beyond.substr(0, beyond.size() - 14), size),
              "syntax " + std::to_string(beyond.size() - 14) + "\n");
  }
}

TEST(item_reader, an_item_beyond_its_limit_is_outlined) {
  std::string photo(kMaxRawItemBytes, 'x');
  std::string body = "{\"data\":[{\"photo\":\"" + photo + "\",\"id\" : 7,\"m\":{\"id\":8}},1]}";
  std::string outline = "{\"id\":7,\"m\":[],\"photo\":\"" + photo.substr(0, 8192) + "\"}";
  for (size_t size : {size_t{10000}, size_t{16} << 20}) {
    EXPECT_EQ(events(body, size),
              "0 too_large " + std::to_string(outline.size()) + "\n1 none 1\nend\n");
  }
}

TEST(item_reader, an_item_of_too_many_values_is_outlined) {
  auto with_values = [](size_t count) {
    return "{\"data\":[{\"id\":7,\"l\":[0" + repeat(",0", count - 1) + "]},1]}";
  };
  for (size_t size : {size_t{1000}, size_t{16} << 20}) {
    // The item, its identity and the list count, too.
    EXPECT_EQ(events(with_values(kMaxValues - 3), size).substr(0, 7), "0 none ");
    EXPECT_EQ(events(with_values(kMaxValues - 2), size),
              "0 too_many_values {\"id\":7,\"l\":[]}\n1 none 1\nend\n");
    EXPECT_EQ(events(with_values(800'000), size),
              "0 too_many_values {\"id\":7,\"l\":[]}\n1 none 1\nend\n");
  }
}

TEST(item_reader, the_last_event_is_given_again) {
  ItemReader reader;
  Arena arena;
  reader.feed("{\"data\":[x");
  EXPECT_EQ(reader.next(arena).offset, 9u);
  EXPECT_EQ(reader.next(arena).kind, Event::Kind::syntax);
  EXPECT_EQ(reader.next(arena).offset, 9u);
}

}  // namespace
}  // namespace sm::json
