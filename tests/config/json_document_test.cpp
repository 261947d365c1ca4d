#include "simulator/config/json_document.hpp"

#include <string>

#include <gmock/gmock.h>

#include "tests/config/error_text.hpp"
#include "tests/config/node_text.hpp"

namespace moesim::config {
namespace {

using testing::HasSubstr;

std::string tree(const std::string& text) {
  return node_text(parse_json(text, "a.json"));
}

std::string error(const std::string& text) {
  return error_text([&] { (void)parse_json(text, "a.json"); });
}

TEST(JsonDocument, CompactTextKeepsItsPlaces) {
  EXPECT_EQ(tree(R"({"a":1,"b":[1,-2.5e3],"c":{},"d":[]})"),
            "{a@1:2: 1@1:6, b@1:8: [1@1:13, -2.5e3@1:15]@1:12, c@1:23: {}@1:27, d@1:30: []@1:34}@1:1");
}

TEST(JsonDocument, TabsAndLineEndsCountAsText) {
  EXPECT_EQ(tree("{\r\n\t\"a\":\t1,\r\n\t\"b\" : 2\r\n}\r\n"), "{a@2:2: 1@2:7, b@3:2: 2@3:8}@1:1");
}

TEST(JsonDocument, OnlyStringsAreQuoted) {
  EXPECT_EQ(tree(R"({"a":null,"b":true,"c":"true","d":"8"})"),
            "{a@1:2: null@1:6, b@1:11: true@1:15, c@1:20: 'true'@1:24, d@1:31: '8'@1:35}@1:1");
}

TEST(JsonDocument, NumbersKeepTheirSpelling) {
  const Node top = parse_json(R"({"a":1e3,"b":123456789012345678901234567890,"c":-0.0})", "a.json");
  EXPECT_EQ(top.find("a")->scalar, "1e3");
  EXPECT_EQ(top.find("b")->scalar, "123456789012345678901234567890");
  EXPECT_EQ(top.find("c")->scalar, "-0.0");
}

TEST(JsonDocument, EscapesAreDecodedAndDoNotShiftPlaces) {
  const Node top = parse_json(R"({"a\/\"":"\ud83d\ude00\u00e9\\","b":1})", "a.json");
  EXPECT_EQ(top.find("a/\"")->scalar, "\U0001F600\u00e9\\");
  EXPECT_EQ(top.find("b")->position.column, 37);
}

TEST(JsonDocument, DuplicateKeysAreErrors) {
  EXPECT_EQ(error("{\"a\":1,\n\"a\":2}"),
            "a.json:2:1: the key 'a' is already given at line 1, column 2; keep one of the two\n");
}

TEST(JsonDocument, WhatOnlyYamlAllowsIsAnError) {
  EXPECT_EQ(error(R"({"a":1,})"), "a.json:1:8: not valid JSON: unexpected '}'; expected string literal\n");
  EXPECT_EQ(error("{\"a\":1 // c\n}"), "a.json:1:8: not valid JSON: invalid literal; expected '}'\n");
  EXPECT_EQ(error("{\"a\":\n  tru}"), "a.json:2:6: not valid JSON: invalid literal; expected JSON without comments, "
                                      "trailing commas or single quotes\n");
  EXPECT_EQ(error("[1,2"), "a.json:1:5: not valid JSON: unexpected end of input; expected ']'\n");
  for (const char* text : {"a: 1", "{'a': 1}", "{a: 1}", "{\"a\": 1} {}", "{\"a\": 01}", "{\"a\": NaN}",
                           "{\"a\": \"\t\"}", "{\"a\": \"\\ud800\"}", "{\"a\": 1e999}"})
    EXPECT_THAT(error(text), HasSubstr("not valid JSON")) << text;
}

TEST(JsonDocument, OtherTopsAreErrors) {
  EXPECT_EQ(error("[]"), "a.json:1:1: the document is a list; expected a map of fields, such as 'version: 1'\n");
  for (const char* text : {"null", "", " \n"})
    EXPECT_THAT(error(text), HasSubstr("the document is empty")) << text;
}

TEST(JsonDocument, NestingIsBounded) {
  EXPECT_EQ(error("{\"a\":" + std::string(63, '[') + std::string(63, ']') + "}"), "");
  EXPECT_THAT(error("{\"a\":" + std::string(1'000'000, '[')), HasSubstr("a.json:1:69: values are nested too deeply"));
}

} // namespace
} // namespace moesim::config
