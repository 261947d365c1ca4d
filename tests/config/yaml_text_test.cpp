#include "simulator/config/yaml_text.hpp"

#include <string>

#include <gtest/gtest.h>

#include "simulator/config/node.hpp"

namespace moesim::config {
namespace {

TEST(YamlText, WhatIsWrittenIsReadBack) {
  const std::string control_characters("\0\x01\x04\x1b\x7f\n\r\t", 8);
  for (const std::string& text : {std::string(), std::string("8"), std::string("null"), std::string("a: b # c"),
                                  std::string("\"quoted\" \\ back"), std::string("caf\u00e9 \U0001F600 \u0085"),
                                  std::string(" spaces "), control_characters}) {
    const Node top = parse_yaml("a: " + double_quoted(text) + "\n", "a.yaml");
    EXPECT_EQ(top.find("a")->scalar, text);
    EXPECT_TRUE(top.find("a")->quoted);
  }
}

// Texts that are numbers, true or null stay texts, and numbers stay numbers.
TEST(YamlText, AValueInOneLineIsReadBackByASetting) {
  for (const char* line : {"8", "\"8\"", "-1.5e3", "400 Gbps", "true", "\"true\"", "null", "\"null\"", "[]", "{}",
                           "[1, [2, \"a, b\"], {x: \"- y\"}]", "{grad_reduce: true, \"a: b\": {c: 2us}}"}) {
    const Node top = parse_yaml("a: " + std::string(line) + "\n", "a.yaml");
    EXPECT_EQ(flow_text(*top.find("a")), line);
    Node other = parse_yaml("b: 1\n", "b.yaml");
    set(other, "a=" + flow_text(*top.find("a")));
    EXPECT_EQ(flow_text(*other.find("a")), line);
    EXPECT_EQ(other.find("a")->quoted, top.find("a")->quoted);
  }
}

} // namespace
} // namespace moesim::config
