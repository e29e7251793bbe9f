#include "core/http/public_url.h"

#include <gtest/gtest.h>

namespace sm::http {
namespace {

bool passes(std::string_view url) { return !url_problem(url, PrivateAddresses::refused); }
bool passes_anywhere(std::string_view url) { return !url_problem(url, PrivateAddresses::allowed); }

TEST(PublicUrl, TakesAbsoluteHttpUrlsToPublicNames) {
  for (const char* url : {"https://example.com", "HTTP://Example.com:8080/a?b#c", "http://8.8.8.8/",
                          "https://[2606:4700::1111]:443/x", "http://a-b.example.co.uk./"}) {
    EXPECT_TRUE(passes(url)) << url;
  }
}

TEST(PublicUrl, RefusesWhatIsNoAbsoluteHttpUrl) {
  for (const char* url :
       {"", "example.com", "ftp://example.com", "http:/example.com", "http://", "//example.com",
        "http://exa mple.com", " http://example.com", "http:\\\\example.com", "http://a..b.com",
        "http://example.com:", "http://example.com:99999", "http://example.com:1x"}) {
    EXPECT_FALSE(passes(url)) << url;
    EXPECT_FALSE(passes_anywhere(url)) << url;
  }
}

TEST(PublicUrl, RefusesUserInformation) {
  EXPECT_FALSE(passes_anywhere("http://user@example.com"));
  EXPECT_FALSE(passes_anywhere("http://user:password@example.com"));
}

TEST(PublicUrl, RefusesPrivateIpv4AddressesInEveryForm) {
  for (const char* url :
       {"http://127.0.0.1", "http://2130706433", "http://0x7f.1", "http://0177.0.0.1",
        "http://127.1", "http://10.0.0.1", "http://192.168.1.1", "http://172.31.0.1",
        "http://169.254.169.254", "http://0.0.0.0", "http://100.64.0.1", "http://127.0.0.1.",
        "http://255.255.255.255", "http://1.2.3.4.5", "http://256.1.1.1"}) {
    EXPECT_FALSE(passes(url)) << url;
  }
  EXPECT_TRUE(passes_anywhere("http://127.0.0.1:8080/x"));
}

TEST(PublicUrl, RefusesPrivateIpv6Addresses) {
  for (const char* url :
       {"http://[::1]", "http://[::]", "http://[::ffff:127.0.0.1]", "http://[fe80::1]",
        "http://[fc00::1]", "http://[2002:7f00:1::]", "http://[64:ff9b::10.0.0.1]",
        "http://[2001:db8::1]", "http://[fe80::1%25eth0]", "http://[1:2:3]", "http://[::1"}) {
    EXPECT_FALSE(passes(url)) << url;
  }
}

TEST(PublicUrl, RefusesNamesThatAreNotPublic) {
  for (const char* url : {"http://localhost", "http://a.localhost:80", "http://printer.local",
                          "http://db.internal", "http://intranet", "http://x.home.arpa"}) {
    EXPECT_FALSE(passes(url)) << url;
    EXPECT_TRUE(passes_anywhere(url)) << url;
  }
}

TEST(PublicUrl, RefusesHostsThatDecodeToSomethingElse) {
  for (const char* url : {"http://%31%32%37.0.0.1", "http://１２７.0.0.1", "http://127。0。0。1"}) {
    EXPECT_FALSE(passes_anywhere(url)) << url;
  }
}

}  // namespace
}  // namespace sm::http
