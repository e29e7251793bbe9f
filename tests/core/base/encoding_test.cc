#include "core/base/encoding.h"

#include <gtest/gtest.h>

#include <map>

namespace sm {
namespace {

TEST(Hex, EveryByteIsReadFromItsTwoDigits) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string digits;
  std::string bytes = "before:";
  std::string expected = bytes;
  for (int byte = 0; byte < 256; ++byte) {
    digits += {kDigits[static_cast<size_t>(byte / 16)], kDigits[static_cast<size_t>(byte % 16)]};
    expected += static_cast<char>(byte);
  }
  append_from_hex(bytes, digits);
  EXPECT_EQ(bytes, expected);
  append_from_hex(bytes, "");
  EXPECT_EQ(bytes, expected);
}

TEST(Base64url, TheVectorsOfRfc4648Hold) {
  const std::pair<const char*, const char*> kVectors[] = {
      {"", ""},           {"f", "Zg"},          {"fo", "Zm8"},          {"foo", "Zm9v"},
      {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"},
  };
  for (auto [bytes, text] : kVectors) {
    EXPECT_EQ(to_base64url(bytes), text);
    EXPECT_EQ(from_base64url(text), bytes);
  }
  EXPECT_EQ(to_base64url("\xfb\xff\xfe"), "-__-") << "the alphabet of section 5";
}

TEST(Base64url, EachTextOfTwoOrThreeCharactersThatDecodesIsTheOneForItsBytes) {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/=";
  size_t two = 0;
  size_t three = 0;
  for (char a : kAlphabet) {
    for (char b : kAlphabet) {
      std::string text{a, b};
      if (auto bytes = from_base64url(text)) {
        ++two;
        EXPECT_EQ(to_base64url(*bytes), text);
      }
      for (char c : kAlphabet) three += from_base64url(text + c).has_value() ? 1 : 0;
    }
  }
  EXPECT_EQ(two, 256u);
  EXPECT_EQ(three, 65536u);
}

TEST(Base64url, ALoneLastCharacterStandsForNothing) {
  for (const char* text : {"A", "Zm9vA", "Zm9vYmFyA"}) EXPECT_FALSE(from_base64url(text)) << text;
}

TEST(Base64url, LongBytesComeBack) {
  std::string bytes;
  for (int i = 0; i < 1000; ++i) {
    EXPECT_EQ(from_base64url(to_base64url(bytes)), bytes);
    bytes += static_cast<char>(i * 37);
  }
}

TEST(Base62, SpreadsTheBytesEvenlyOverLettersAndDigits) {
  std::map<char, int> seen;
  for (int byte = 0; byte < 256; ++byte) {
    std::string text = to_base62(std::string(1, static_cast<char>(byte)));
    ASSERT_EQ(text.size(), 1u);
    ++seen[text[0]];
  }
  EXPECT_EQ(seen.size(), 62u);
  for (auto [character, count] : seen) {
    EXPECT_TRUE(std::isalnum(static_cast<unsigned char>(character))) << character;
    EXPECT_TRUE(count == 4 || count == 5) << character;
  }
  EXPECT_EQ(to_base62(""), "");
}

TEST(Crc32, KnownChecksumsHold) {
  EXPECT_EQ(crc32(""), 0u);
  EXPECT_EQ(crc32("a"), 0xe8b7be43u);
  EXPECT_EQ(crc32("The quick brown fox jumps over the lazy dog"), 0x414fa339u);
  EXPECT_EQ(crc32(std::string(32, '\xff')), 0xff6cab0bu);
  EXPECT_EQ(crc32(std::string(32, '\0')), 0x190a55adu);
}

TEST(EqualInConstantTime, SeesEveryByteAndTheLength) {
  std::string key(64, 'k');
  EXPECT_TRUE(equal_in_constant_time(key, std::string(64, 'k')));
  EXPECT_TRUE(equal_in_constant_time("", ""));
  for (size_t i = 0; i < key.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string other = key;
      other[i] = static_cast<char>(other[i] ^ 1 << bit);
      EXPECT_FALSE(equal_in_constant_time(key, other)) << i << bit;
    }
  }
  EXPECT_FALSE(equal_in_constant_time(key, key + "k"));
  EXPECT_FALSE(equal_in_constant_time("", key));
}

}  // namespace
}  // namespace sm
