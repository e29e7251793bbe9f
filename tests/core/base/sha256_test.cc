#include "core/base/sha256.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/base/encoding.h"

namespace sm {
namespace {

std::string hex_of(std::string_view message) { return to_hex(sha256(message)); }

// Some bytes that differ from place to place.
std::string message_of(size_t size) {
  std::string message(size, '\0');
  for (size_t i = 0; i < size; ++i) message[i] = static_cast<char>(i * 31 + size);
  return message;
}

TEST(sha256, the_vectors_of_fips_180_hold) {
  EXPECT_EQ(hex_of(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hex_of("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(hex_of(std::string(1000000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(sha256, a_message_in_parts_has_the_hash_of_the_whole) {
  std::string message = message_of(300);
  for (size_t size : std::initializer_list<size_t>{1, 7, 55, 56, 63, 64, 65, 128, 299}) {
    Sha256 hash;
    for (size_t at = 0; at < message.size(); at += size) {
      hash.update(std::string_view(message).substr(at, size));
    }
    EXPECT_EQ(hash.finish(), sha256(message)) << size;
    hash.update("abc");
    EXPECT_EQ(hash.finish(), sha256("abc")) << "the object starts over";
  }
}

TEST(sha256, hmac_gives_the_vectors_of_rfc_4231) {
  EXPECT_EQ(to_hex(hmac_sha256(std::string(20, '\x0b'), "Hi There")),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(to_hex(hmac_sha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(to_hex(hmac_sha256(std::string(131, '\xaa'),
                               "Test Using Larger Than Block-Size Key - Hash Key First")),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(sha256, the_digest_of_a_key_signs_as_the_key_does) {
  // The states behind the blocks of the key `Jefe`, as a host computes them.
  std::string digest;
  append_from_hex(digest,
                  "655DA7FACC434B375A1CD5CB0692EE0EA47A23D34C3AF449DBA21AE278C7500C"
                  "0EAFE3D513412E6C6A6A2FEB2D375ACC51A4FD476DB095E823BFA18A52F141D5");
  EXPECT_EQ(to_hex(hmac_sha256_behind(digest, "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST(sha256, lanes_give_every_message_its_own_hash_whatever_the_lengths) {
  for (size_t count = 0; count < 40; ++count) {
    std::vector<std::string> messages;
    for (size_t i = 0; i < count; ++i) messages.push_back(message_of((i * i * 37 + count) % 700));
    std::vector<Sha256Digest> digests(count);
    Sha256Lanes lanes;
    for (size_t i = 0; i < count; ++i) lanes.push(messages[i], &digests[i]);
    lanes.flush();
    for (size_t i = 0; i < count; ++i)
      EXPECT_EQ(digests[i], sha256(messages[i])) << count << ' ' << i;
  }
}

TEST(sha256, lanes_go_on_after_a_flush) {
  Sha256Lanes lanes;
  for (size_t size : std::initializer_list<size_t>{0, 1, 63, 64, 5000}) {
    std::string message = message_of(size);
    Sha256Digest digest;
    lanes.push(message, &digest);
    lanes.flush();
    EXPECT_EQ(digest, sha256(message)) << size;
  }
}

TEST(sha256, one_long_message_among_short_ones_keeps_the_other_lanes_busy) {
  std::vector<std::string> messages;
  for (size_t i = 0; i < 100; ++i) messages.push_back(message_of(i == 3 ? 100000 : i));
  std::vector<Sha256Digest> digests(messages.size());
  Sha256Lanes lanes;
  for (size_t i = 0; i < messages.size(); ++i) lanes.push(messages[i], &digests[i]);
  lanes.flush();
  for (size_t i = 0; i < messages.size(); ++i) EXPECT_EQ(digests[i], sha256(messages[i])) << i;
}

}  // namespace
}  // namespace sm
