#include <string>

#include <gmock/gmock.h>

#include "simulator/config/node.hpp"
#include "tests/config/error_text.hpp"
#include "tests/config/node_text.hpp"

namespace moesim::config {
namespace {

using testing::StartsWith;

std::string after(const std::string& document, const std::string& assignment) {
  Node root = parse_yaml(document, "a.yaml");
  set(root, assignment);
  return node_text(root);
}

std::string error(const std::string& assignment) {
  return error_text([&] { (void)after("version: 1\nlist: [1, {a: 2}]\nempty: []\n", assignment); });
}

TEST(Set, ReplacesAValueAndPlacesItInTheArgument) {
  EXPECT_EQ(after("a: {b: 1, c: 2}", "a.b=8"), "{a@1:1: {b@1:5: 8@1:5, c@1:11: 2@1:14}@1:4}@1:1");
}

TEST(Set, MakesTheMapsOnTheWay) {
  EXPECT_EQ(after("v: 1", "a.b.c=x"), "{v@1:1: 1@1:4, a@1:1: {b@1:3: {c@1:5: x@1:7}@1:5}@1:3}@1:1");
  EXPECT_EQ(after("a:", "a.b=1"), "{a@1:1: {b@1:3: 1@1:5}@1:3}@1:1");
}

TEST(Set, AddressesTheItemsOfAList) {
  EXPECT_EQ(after("a: [1, {b: 2}]", "a.1.b=3"), "{a@1:1: [1@1:5, {b@1:9: 3@1:7}@1:8]@1:4}@1:1");
}

TEST(Set, TakesAnyYamlValue) {
  EXPECT_EQ(after("a: 1", "a={type: zipf, exponent: 1.0}"),
            "{a@1:1: {type@1:4: zipf@1:10, exponent@1:16: 1.0@1:26}@1:3}@1:1");
  EXPECT_EQ(after("a: 1", "a='8'"), "{a@1:1: '8'@1:3}@1:1");
  EXPECT_EQ(after("a: 1", "a="), "{a@1:1: null@1:3}@1:1");
  EXPECT_EQ(after("a: 1", "a=b=c"), "{a@1:1: b=c@1:3}@1:1");
}

TEST(Set, MarksTheFileOfItsValues) {
  Node root = parse_yaml("a: 1", "a.yaml");
  set(root, "a=2");
  EXPECT_EQ(root.find("a")->position.file, "--set");
}

TEST(Set, MalformedArgumentsAreErrors) {
  EXPECT_EQ(error("version"), "--set:1:1: 'version' has no '='; expected path.to.field=VALUE\n");
  const std::string missing_name = "a name is missing in the path; expected path.to.field\n";
  EXPECT_EQ(error("=1"), "--set:1:1: " + missing_name);
  EXPECT_EQ(error("a..b=1"), "--set:1:3: " + missing_name);
  EXPECT_EQ(error("a.=1"), "--set:1:3: " + missing_name);
  EXPECT_EQ(error(".a=1"), "--set:1:1: " + missing_name);
  EXPECT_THAT(error("a=[1"), StartsWith("--set:1:3: not valid YAML"));
  EXPECT_THAT(error("a={b: 1, b: 2}"), StartsWith("--set:1:10: the key 'b' is already given"));
  EXPECT_THAT(error("\xf0\na"), StartsWith("--set:1:1: the byte 0xf0 is not UTF-8"));
  EXPECT_THAT(error("a=\xff"), StartsWith("--set:1:3: the byte 0xff is not UTF-8"));
}

TEST(Set, PathsThroughScalarsAndBeyondListsAreErrors) {
  EXPECT_EQ(error("version.a=1"),
            "--set:1:9: version.a: 'a' lies below the number 1; expected a map or a list there\n");
  EXPECT_EQ(error("list.2=1"),
            "--set:1:6: list.2: '2' is not an item of this list; expected the number of an item, from 0 to 1\n");
  EXPECT_EQ(error("list.x.a=1"),
            "--set:1:6: list.x.a: 'x' is not an item of this list; expected the number of an item, from 0 to 1\n");
  EXPECT_EQ(error("list.-1=1"),
            "--set:1:6: list.-1: '-1' is not an item of this list; expected the number of an item, from 0 to 1\n");
  EXPECT_EQ(error("empty.0=1"), "--set:1:7: empty.0: '0' is not an item of this list; the list is empty\n");
}

TEST(Set, PathsAreBounded) {
  std::string path = "a";
  for (int level = 0; level < 100'000; ++level)
    path += ".a";
  EXPECT_EQ(error(path + "=1"), "--set:1:1: the path is too long; expected at most 64 names\n");
}

} // namespace
} // namespace moesim::config
