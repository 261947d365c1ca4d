#include "simulator/config/source_text.hpp"

#include <string>

#include <gtest/gtest.h>

#include "tests/config/error_text.hpp"

namespace moesim::config {
namespace {

const Position start{"a.yaml", 1, 1};

std::string error(const std::string& text) {
  return error_text([&] { (void)checked_text(text, start); });
}

TEST(SourceText, LineEndsAndByteOrderMarkAreTakenAway) {
  EXPECT_EQ(checked_text("\xEF\xBB\xBF"
                         "a\r\nb\rc\nd\r",
                         start),
            "a\nb\nc\nd\n");
}

TEST(SourceText, TextOfAnyLanguagePasses) {
  const std::string text = "caf\u00e9 \u4e2d\u6587 \U0001F600\t\n";
  EXPECT_EQ(checked_text(text, start), text);
}

TEST(SourceText, BytesThatAreNoTextAreNamedWithTheirPlace) {
  EXPECT_EQ(error(std::string("a: 1\nb: \0", 9)),
            "a.yaml:2:4: the control character 0x00 is not text; expected a text file in UTF-8\n");
  EXPECT_EQ(error("a: \x04"), "a.yaml:1:4: the control character 0x04 is not text; expected a text file in UTF-8\n");
  EXPECT_EQ(error("\n\n\xff"), "a.yaml:3:1: the byte 0xff is not UTF-8; expected a text file in UTF-8\n");
}

TEST(SourceText, MalformedUtf8IsRefused) {
  const std::string too_long = "\xC0\x80";
  const std::string surrogate = "\xED\xA0\x80";
  const std::string beyond_unicode = "\xF4\x90\x80\x80";
  const std::string cut_short = "\xE4\xB8";
  const std::string stray_continuation = "\x80";
  const std::string overlong_three = "\xE0\x80\x80";
  const std::string utf16 = std::string("\xFF\xFE"
                                        "a\0",
                                        4);
  for (const std::string& text :
       {too_long, surrogate, beyond_unicode, cut_short, cut_short + "ab", stray_continuation, overlong_three, utf16})
    EXPECT_NE(error(text), "") << testing::PrintToString(text);
}

TEST(SourceText, PlacesCountLinesAndBytesFromTheStart) {
  const Position place = position_at("ab\ncd", 4, {"f", 1, 1});
  EXPECT_EQ(place.line, 2);
  EXPECT_EQ(place.column, 2);
  EXPECT_EQ(position_at("ab", 1, {"--set", 1, 10}).column, 11);
}

} // namespace
} // namespace moesim::config
