#include "domain/sessions/device_name.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <utility>

namespace keyward::domain {
namespace {

TEST(DeviceName, names_what_people_use) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 17> known{{
      {"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"},
      {"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 "
       "Safari/537.36",
       "Chrome on Windows"},
      {"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 "
       "Safari/537.36 Edg/138.0.0.0",
       "Edge on Windows"},
      {"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
       "Version/18.5 Safari/605.1.15",
       "Safari on macOS"},
      {"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
       "Version/18.5 Mobile/15E148 Safari/604.1",
       "Safari on iPhone"},
      {"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
       "CriOS/138.0.7204.53 Mobile/15E148 Safari/604.1",
       "Chrome on iPhone"},
      {"Mozilla/5.0 (iPad; CPU OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) FxiOS/140.0 "
       "Mobile/15E148 Safari/605.1.15",
       "Firefox on iPad"},
      {"Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) "
       "Chrome/138.0.0.0 Mobile Safari/537.36",
       "Chrome on Android"},
      {"Mozilla/5.0 (Linux; Android 15; SM-S931B) AppleWebKit/537.36 (KHTML, like Gecko) "
       "SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36",
       "Samsung Internet on Android"},
      {"Mozilla/5.0 (X11; CrOS x86_64 16181.61.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 "
       "Safari/537.36",
       "Chrome on ChromeOS"},
      {"curl/8.14.1", "curl"},
      {"python-requests/2.32.4", "python-requests"},
      {"okhttp/4.12.0", "okhttp"},
      {"MyApp/3 CFNetwork/1490 Darwin/23.2.0", "MyApp on macOS or iOS"},
      {"Mozilla/5.0", "Unknown device"},
      {"", "Unknown device"},
      {"/", "Unknown device"},
  }};
  for (const auto& [user_agent, name] : known) EXPECT_EQ(name_device(user_agent), name) << user_agent;
}

TEST(DeviceName, L2_nothing_that_a_client_makes_up_comes_out_raw) {
  for (const std::string_view text : {"<script>alert(1)</script>", "\x1b[31mred/1", "a\r\nb/1", "\u202egnp/1",
                                      "\xff\xfe/1", "ünïcode/1", "win.example/1", "quote\"/1", "'--/1"}) {
    EXPECT_EQ(name_device(text), "Unknown device") << text;
  }
  EXPECT_EQ(name_device(std::string(512, 'x')), "Unknown device");
  const auto mixed = name_device("evil\x1b[2J/1 Linux");
  EXPECT_EQ(mixed, "Linux");
}

}  // namespace
}  // namespace keyward::domain
