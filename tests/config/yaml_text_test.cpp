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

} // namespace
} // namespace moesim::config
