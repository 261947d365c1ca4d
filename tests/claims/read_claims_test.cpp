// The `claims:` section: what is read, and every mistake with its place.
#include "simulator/claims/claim.hpp"

#include <gtest/gtest.h>

namespace moesim::claims {
namespace {

std::vector<Claim> read(const std::string& text) {
  const config::Node root = config::parse_yaml(text, "a.yaml");
  Problems problems;
  config::MapReader map(root, "", problems);
  std::vector<Claim> claims = read_claims(map, problems);
  problems.throw_if_any();
  return claims;
}

std::string problems(const std::string& text) {
  try {
    static_cast<void>(read(text));
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

// Of every quantity, the nearest first.
std::string names(const std::string& nearest) {
  std::string text = nearest;
  for (const Quantity& quantity : quantities())
    if (quantity.name != nearest)
      text += ", " + std::string(quantity.name);
  return text;
}

TEST(ReadClaims, KeepsWhatIsThere) {
  const std::vector<Claim> claims = read("claims:\n"
                                         "  - id: total\n"
                                         "    quote: \"Total: 16GB\"\n"
                                         "    about: memory\n"
                                         "    claimed: 16GB\n"
                                         "    derive: weights + 4GB\n"
                                         "    limit: gpu_memory\n"
                                         "    with: sibling\n"
                                         "    set: {training.seq_length: 128, training.overlap: {pp: true}}\n"
                                         "    note: as it says\n"
                                         "  - {id: weights, quote: \"weights: 2GB\", about: size, claimed: 2GB}\n");
  ASSERT_EQ(claims.size(), 2U);
  EXPECT_EQ(claims[0].id, "total");
  EXPECT_EQ(claims[0].quote, "Total: 16GB");
  EXPECT_EQ(claims[0].about.name, "memory");
  EXPECT_DOUBLE_EQ(claims[0].claimed.value, 16e9);
  EXPECT_EQ(claims[0].derive->text(), "weights + 4GB");
  EXPECT_EQ(claims[0].limit->text(), "gpu_memory");
  EXPECT_EQ(claims[0].with, "sibling");
  EXPECT_EQ(claims[0].assignments,
            (std::vector<std::string>{"training.seq_length=128", "training.overlap={pp: true}"}));
  EXPECT_EQ(claims[0].note, "as it says");
  EXPECT_EQ(claims[0].position.line, 2);
  EXPECT_FALSE(claims[1].derive);
  EXPECT_TRUE(read("version: 1\n").empty());
  EXPECT_EQ(read("claims: [{id: a, quote: \"two\\nlines\", about: size, claimed: 2GB}]\n")[0].quote, "two lines");
}

TEST(ReadClaims, ReportsEveryMistakeAtOnce) {
  EXPECT_EQ(
      problems("claims:\n"
               "  - {id: Total, about: count_, claimed: 16, derive: tp **, colour: red}\n"
               "  - {id: tp, quote: q, about: gpus, claimed: 4, derive: \"tp + +\", set: 5}\n"),
      "a.yaml:2:5: claims.0.quote: missing; expected a text\n"
      "a.yaml:2:10: claims.0.id: found the text \"Total\"; expected small letters, digits and _, the first a "
      "letter\n"
      "a.yaml:2:24: claims.0.about: unknown value 'count_'; did you mean 'count'? expected one of " +
          names("count") +
          "\n"
          "a.yaml:2:57: claims.0.derive: found '*'; expected a number, a name or (\n"
          "a.yaml:2:60: claims.0.colour: unknown key 'colour'; known keys are id, quote, about, claimed, derive, "
          "limit, with, set, note\n"
          "a.yaml:3:10: claims.1.id: 'tp' is the name of a field that sums can name; expected another one\n"
          "a.yaml:3:63: claims.1.derive: found '+'; expected a number, a name or (\n"
          "a.yaml:3:72: claims.1.set: found the number 5; expected fields of the scenario with their values, such as "
          "{training.seq_length: 4096}\n");
}

TEST(ReadClaims, NamesAreClaimsOrFields) {
  EXPECT_EQ(problems("claims:\n"
                     "  - {id: one, quote: q, about: count, claimed: 2-4, derive: layer * one}\n"
                     "  - {id: one, quote: q, about: count, claimed: 4, limit: xyzzy}\n"),
            "a.yaml:2:5: claims.0.derive: unknown name 'layer'; did you mean 'layers'?\n"
            "a.yaml:2:5: claims.0.derive: 'one' is a span; expected a claim of one figure\n"
            "a.yaml:3:5: claims.1.id: 'one' is the id of an earlier claim; expected another one\n"
            "a.yaml:3:5: claims.1.limit: unknown name 'xyzzy'; expected the id of a claim, or a field such as gpus, "
            "tp, layers, gpu_flops\n");
}

} // namespace
} // namespace moesim::claims
