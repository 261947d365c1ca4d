#include "simulator/config/yaml_document.hpp"

#include <string>

#include <gmock/gmock.h>

#include "tests/config/error_text.hpp"
#include "tests/config/node_text.hpp"

namespace moesim::config {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::string tree(const std::string& text) {
  return node_text(parse_yaml(text, "a.yaml"));
}

std::string error(const std::string& text) {
  return error_text([&] { (void)parse_yaml(text, "a.yaml"); });
}

std::string nested_lists(std::size_t levels) {
  return "a: " + std::string(levels, '[') + std::string(levels, ']');
}

TEST(YamlDocument, EveryKeyAndValueKnowsItsPlace) {
  EXPECT_EQ(
      tree("version: 1\nlist:\n  - 2us\n  - [3, 'x y']\nmap: {b: ~}\n"),
      "{version@1:1: 1@1:10, list@2:1: [2us@3:5, [3@4:6, 'x y'@4:9]@4:5]@3:3, map@5:1: {b@5:7: null@5:10}@5:6}@1:1");
}

TEST(YamlDocument, QuotedScalarsAreTexts) {
  EXPECT_EQ(tree("a: \"8\"\nb: '8'\nc: 8\nd: !!str 8\ne: \"null\"\n"),
            "{a@1:1: '8'@1:4, b@2:1: '8'@2:4, c@3:1: 8@3:4, d@4:1: '8'@4:4, e@5:1: 'null'@5:4}@1:1");
}

TEST(YamlDocument, AnAbsentValueStandsAtItsKey) {
  EXPECT_EQ(tree("a:\nb: null\nc: NULL\nd:\n  e:\n"),
            "{a@1:1: null@1:1, b@2:1: null@2:4, c@3:1: null@3:4, d@4:1: {e@5:3: null@5:3}@5:3}@1:1");
}

TEST(YamlDocument, WindowsAndOldMacLineEndsCountAsLines) {
  const std::string unix_tree = tree("a: 1\nb: 2\n");
  EXPECT_EQ(tree("a: 1\r\nb: 2\r\n"), unix_tree);
  EXPECT_EQ(tree("a: 1\rb: 2\r"), unix_tree);
  EXPECT_EQ(tree("\xEF\xBB\xBF"
                 "a: 1\nb: 2\n"),
            unix_tree);
}

TEST(YamlDocument, DirectivesAndEndMarksAreNoSecondDocument) {
  EXPECT_EQ(tree("%YAML 1.2\n---\na: 1\n...\n"), "{a@3:1: 1@3:4}@3:1");
}

TEST(YamlDocument, AliasesCopyTheirAnchor) {
  EXPECT_EQ(tree("a: &x [1, 2]\nb: *x\n"), "{a@1:1: [1@1:8, 2@1:11]@1:4, b@2:1: [1@1:8, 2@1:11]@1:4}@1:1");
}

TEST(YamlDocument, DuplicateKeysAreErrorsAtEveryLevel) {
  EXPECT_EQ(error("a: 1\nb: {c: 1, c: 2}\n\"a\": 3\n"),
            "a.yaml:2:11: the key 'c' is already given at line 2, column 5; keep one of the two\n"
            "a.yaml:3:1: the key 'a' is already given at line 1, column 1; keep one of the two\n");
}

TEST(YamlDocument, KeysAreNames) {
  EXPECT_EQ(error("[1]: 1\n~: 2\n{a: b}: 3\n"), "a.yaml:1:1: a list stands where a key should; expected a name\n"
                                                "a.yaml:2:1: no value stands where a key should; expected a name\n"
                                                "a.yaml:3:1: a map stands where a key should; expected a name\n");
}

TEST(YamlDocument, TagsAndMergeKeysAreRefused) {
  EXPECT_EQ(error("a: !gpu h100\nb: !!python/object {}\n<<: {}\n"),
            "a.yaml:1:4: the tag '!gpu' has no meaning here; remove it\n"
            "a.yaml:2:4: the tag 'tag:yaml.org,2002:python/object' has no meaning here; remove it\n"
            "a.yaml:3:1: the merge key << is not supported; write out the keys that it would bring\n");
}

TEST(YamlDocument, ASyntaxErrorComesWithWhatWasFoundBeforeIt) {
  EXPECT_EQ(
      error("x: 1\nm: {c: 1, c: 2}\na: b: c\n"),
      "a.yaml:2:11: the key 'c' is already given at line 2, column 5; keep one of the two\n"
      "a.yaml:3:5: not valid YAML (illegal map value); check indentation, quotes and brackets here and just above\n");
}

TEST(YamlDocument, UnfinishedTextIsASyntaxError) {
  for (const char* text : {"a: [1", "{a: 1", "a: \"x", "a: *x", "@a: 1", "a:\n\t- b", "a: }", "- a\nb: 1", "%FOO"})
    EXPECT_THAT(error(text), StartsWith("a.yaml:")) << text;
}

TEST(YamlDocument, EmptyAndOtherTopsAreErrors) {
  const std::string expected = "expected a map of fields, such as 'version: 1'\n";
  for (const char* text : {"", "\n\n", "# only a comment\n", "---\n", "null"})
    EXPECT_THAT(error(text), HasSubstr("the document is empty; " + expected)) << text;
  EXPECT_EQ(error("- 1\n"), "a.yaml:1:1: the document is a list; " + expected);
  EXPECT_EQ(error("text\n"), "a.yaml:1:1: the document is the text \"text\"; " + expected);
}

TEST(YamlDocument, ASecondDocumentIsAnError) {
  const std::string message = "a second document starts here; expected one document per file\n";
  EXPECT_EQ(error("a: 1\n---\nb: 2\n"), "a.yaml:2:1: " + message);
  EXPECT_EQ(error("a: 1\n---\n"), "a.yaml:2:1: " + message);
}

TEST(YamlDocument, NestingIsBounded) {
  EXPECT_EQ(error(nested_lists(63)), "");
  EXPECT_EQ(error(nested_lists(64)), "a.yaml:1:67: values are nested too deeply; expected at most 64 levels\n");
  EXPECT_THAT(error("a: " + std::string(100'000, '[')), HasSubstr("nested too deeply"));
  EXPECT_THAT(error("a: " + std::string(100'000, '{')), HasSubstr("nested too deeply"));
}

TEST(YamlDocument, AliasesCannotNestDeeperThanText) {
  std::string text = "a: &a " + std::string(40, '[') + std::string(40, ']') + "\n";
  text += "b: " + std::string(40, '[') + "*a" + std::string(40, ']') + "\n";
  EXPECT_THAT(error(text), HasSubstr("nested too deeply"));
}

TEST(YamlDocument, AliasesCannotMultiplyWithoutEnd) {
  std::string text = "a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n";
  for (int level = 1; level < 12; ++level) {
    const std::string below = "*a" + std::to_string(level - 1);
    const std::string here = "a" + std::to_string(level);
    text += here + ": &" + here + " [" + below + ", " + below + ", " + below + ", " + below + ", " + below + ", " +
            below + ", " + below + ", " + below + ", " + below + ", " + below + "]\n";
  }
  EXPECT_THAT(error(text), HasSubstr("the document has too many values; expected at most 1000000, aliases expanded"));
}

TEST(YamlDocument, AnAliasInsideItsAnchorIsAnError) {
  EXPECT_EQ(error("a: &x [1, *x]\n"), "a.yaml:1:11: the alias stands inside the value that it names; expected a value "
                                      "that ends before its alias\n");
}

TEST(YamlDocument, FilesOfNothingButSeparatorsAreRefusedBeforeTheyFillMemory) {
  EXPECT_THAT(error("a: [" + std::string(2'000'001, ',')), HasSubstr("the document has too many values"));
}

TEST(YamlDocument, MessagesStayOneLineWhateverTheUserWrote) {
  const std::string key = "\"line\\nfeed \\e[31m " + std::string(100, 'x') + "\"";
  const std::string message = error(key + ": 1\n" + key + ": 2\n");
  EXPECT_EQ(message, "a.yaml:2:1: the key 'line\\nfeed \\x1b[31m " + std::string(44, 'x') +
                         "...' is already given at line 1, column 1; keep one of the two\n");
}

TEST(YamlDocument, PlacesCountFromWhereTheTextStarts) {
  Problems problems;
  const Node node = parse_yaml_value("{a: 1,\nb: 2}", {"--set", 1, 5}, problems);
  EXPECT_EQ(node_text(node), "{a@1:6: 1@1:9, b@2:1: 2@2:4}@1:5");
}

} // namespace
} // namespace moesim::config
