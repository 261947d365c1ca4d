// `moesim audit`: what it prints, and what it says of claims that cannot be judged.
#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "tests/cli/command.hpp"

namespace moesim::testing {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string with_claims(std::string_view claims) {
  return small_scenario() + "claims:\n" + std::string(claims);
}

Outcome audit(std::string_view claims, const Workplace::Arguments& more = {}) {
  const Workplace place;
  place.write("a.yaml", with_claims(claims));
  Workplace::Arguments arguments{"audit", "a.yaml"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return place.run(arguments);
}

const char* const right =
    "  - {id: total, quote: \"8 GPUs, with TP 2\", about: gpus, claimed: 8, derive: tp * pp * dp}\n";
const char* const wrong = "  - {id: degrees, quote: \"2 x 2 x 4 = 8\", about: count, claimed: 8, derive: 2 * 2 * 4}\n";

TEST(Audit, PrintsEachClaimAndACount) {
  const Outcome outcome = audit(std::string(right) + wrong);
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(outcome.err, "");
  EXPECT_THAT(
      outcome.out,
      StartsWith(lines({"small", "", "total: consistent", "  \"8 GPUs, with TP 2\"",
                        "  claimed 8, by its own figures 8, simulated 8", "  tp × pp × dp = 2 × 2 × 2 = 8; simulated 8",
                        "", "degrees: self-contradiction", "  \"2 x 2 x 4 = 8\"", "  claimed 8, by its own figures 16",
                        "  2 × 2 × 4 = 16", "", "2 claims: 1 consistent, 1 self-contradiction", "",
                        "what could be deployed instead, with up to 3 changes", "",
                        "a.yaml: no figure to reach; the fastest"})));
}

TEST(Audit, EndsWithTheNearestDeploymentThatDoesIt) {
  const std::string easy = audit("  - {id: a, quote: q, about: iteration_time, claimed: 1000s}\n").out;
  EXPECT_THAT(easy, HasSubstr("\na.yaml: does what a claims\n  as the document has it\n"));
  EXPECT_THAT(easy, EndsWith("\n  moesim run a.yaml\n"));
  const Outcome hard = audit("  - {id: a, quote: q, about: iteration_time, claimed: 1us}\n"
                             "  - {id: b, quote: q, about: tokens_per_s, claimed: 9 tokens/s,\n"
                             "     set: {training.micro_batch_size: 1}}\n",
                             {"--json"});
  const auto json = nlohmann::json::parse(hard.out)["deployments"];
  ASSERT_EQ(json.size(), 2u);
  EXPECT_EQ(json[0]["scenario"], "a.yaml");
  EXPECT_EQ(json[0]["wanted"], (std::vector<std::string>{"a"}));
  EXPECT_EQ(json[0]["meets"], false);
  EXPECT_EQ(json[0]["wanted_time_s"], 1e-6);
  EXPECT_LE(json[0]["time_s"], json[0]["time_as_given_s"]);
  EXPECT_GT(json[0]["memory_bytes"], 0);
  EXPECT_EQ(json[0]["changes"].size(), 3u);
  EXPECT_THAT(json[0]["outcome"], HasSubstr(", wanted 1 us (missed by "));
  EXPECT_THAT(json[0]["command"], StartsWith("moesim run a.yaml --set "));
  EXPECT_EQ(json[1]["scenario"], "a.yaml with training.micro_batch_size=1");
  EXPECT_EQ(json[1]["meets"], true);
  EXPECT_EQ(json[1]["changes"].size(), 0u);
  EXPECT_EQ(json[1]["command"], "moesim run a.yaml --set training.micro_batch_size=1");
}

TEST(Audit, StrictMeansThatTheDocumentHasToHold) {
  EXPECT_EQ(audit(right, {"--strict"}).status, 0);
  EXPECT_EQ(audit(wrong, {"--strict"}).status, 1);
  EXPECT_EQ(audit("  - {id: a, quote: q, about: share, claimed: 9%}\n", {"--strict"}).status, 0) << "not checkable";
  EXPECT_EQ(audit("  - {id: a, quote: q, about: iteration_time, claimed: 1000s}\n", {"--strict"}).status, 1);
  EXPECT_EQ(audit("  - {id: a, quote: q, about: size, claimed: 120GB, limit: gpu_memory}\n", {"--strict"}).status, 1);
}

TEST(Audit, JsonHasPlainNumbersInTheUnitOfTheClaim) {
  const Outcome outcome = audit("  - {id: a, quote: \"25% of 4GB\", about: size, claimed: 1GB, derive: 4GB * b}\n"
                                "  - {id: b, quote: \"25%\", about: share, claimed: 25%}\n"
                                "  - {id: c, quote: \"1-2s\", about: time, claimed: 1-2s, derive: 1500ms, note: n}\n",
                                {"--json"});
  EXPECT_EQ(outcome.status, 0);
  const auto json = nlohmann::json::parse(outcome.out);
  EXPECT_EQ(json["name"], "small");
  EXPECT_EQ(json["scenario"], "a.yaml");
  EXPECT_EQ(json["claims"][0], (nlohmann::json{{"id", "a"},
                                               {"quote", "25% of 4GB"},
                                               {"about", "size"},
                                               {"unit", "GB"},
                                               {"claimed", 1.0},
                                               {"derived", 1.0},
                                               {"simulated", nullptr},
                                               {"verdict", "consistent"},
                                               {"because", "4GB × b = 4GB × 25 % = 1 GB"}}));
  EXPECT_EQ(json["claims"][1]["unit"], "fraction");
  EXPECT_EQ(json["claims"][1]["claimed"], 0.25);
  EXPECT_EQ(json["claims"][1]["derived"], nullptr);
  EXPECT_EQ(json["claims"][2]["claimed_to"], 2.0);
  EXPECT_EQ(json["claims"][2]["because"], "1.5 s; n");
}

TEST(Audit, JudgesWithAnotherScenarioAndOtherSettings) {
  const Workplace place;
  place.write("folder/a.yaml",
              with_claims("  - {id: a, quote: q, about: count, claimed: 8, derive: batch_size, with: ./b.yaml}\n"
                          "  - {id: b, quote: q, about: gpus, claimed: 16, derive: seq_length,\n"
                          "     set: {training.seq_length: 16}}\n"));
  place.write("folder/b.yaml", small_scenario({{"global_batch_size: 4", "global_batch_size: 8"}}));
  const Outcome outcome = place.run({"audit", "folder/a.yaml"});
  EXPECT_EQ(outcome.err, "");
  EXPECT_THAT(outcome.out, HasSubstr("\n  batch_size = 8\n"));
  EXPECT_THAT(outcome.out, HasSubstr("\n  simulated 8, 1/2 of the claim with training.seq_length=16\n"));
}

TEST(Audit, SaysWhatIsWrongAtTheClaim) {
  const Workplace place;
  place.write("a.yaml", with_claims("  - {id: a, quote: q, about: count, claimed: 8, with: ./none.yaml}\n"
                                    "  - {id: b, quote: q, about: gpus, claimed: 8, set: {training.seq_len: 16}}\n"));
  const Outcome outcome = place.run({"audit", "a.yaml"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_EQ(outcome.out, "");
  EXPECT_THAT(outcome.err, HasSubstr("a.yaml:19:5: claims.0.with: there is no file none.yaml; expected a "
                                     "path relative to the folder of a.yaml\n"));
  EXPECT_THAT(outcome.err, HasSubstr("a.yaml:20:5: claims.1.set: training.seq_len: unknown key 'seq_len'; did you mean "
                                     "'seq_length'?\n"));
}

TEST(Audit, RefusesSumsWithoutAValue) {
  const Outcome outcome = audit("  - {id: a, quote: q, about: count, claimed: 8, derive: 1 / (tp - 2)}\n");
  EXPECT_EQ(outcome.status, 2);
  EXPECT_EQ(outcome.err, "a.yaml:19:5: claims.0.derive: 1 / (tp - 2) divides by zero in this scenario; expected a sum "
                         "with a value\n");
}

TEST(Audit, RefusesScenariosWithoutClaims) {
  const Workplace place;
  place.write("a.yaml", small_scenario());
  const Outcome outcome = place.run({"audit", "a.yaml"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_EQ(outcome.err,
            "a.yaml:1:1: claims: there are none; expected the figures of a document, each with its words\n");
}

TEST(Audit, ClaimsAreCheckedByEveryCommandAndChangeNothing) {
  const Workplace place;
  place.write("a.yaml", with_claims("  - {id: a, quote: q, about: gpus, claimed: 8 GPUs}\n"));
  const Outcome outcome = place.run({"check", "a.yaml"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.err, HasSubstr("a.yaml:19:45: claims.0.claimed: found the text \"8 GPUs\"; expected a number "));
  place.write("b.yaml", with_claims(wrong));
  place.write("c.yaml", small_scenario());
  EXPECT_EQ(place.run({"check", "b.yaml"}).out, place.run({"check", "c.yaml"}).out);
}

TEST(Audit, WritesAPage) {
  const Workplace place;
  place.write("a.yaml", with_claims(std::string(right) + wrong));
  EXPECT_EQ(place.run({"audit", "a.yaml", "-o", "a.html"}).err, "");
  const std::string page = read_all(place.path() / "a.html");
  EXPECT_THAT(page, HasSubstr("<h2>self-contradiction<code>degrees</code></h2>"));
  EXPECT_THAT(page, HasSubstr("<h3>a.yaml: no figure to reach; the fastest</h3>"));
  EXPECT_THAT(page, HasSubstr("class=\"instead\""));
  EXPECT_EQ(place.run({"audit", "a.yaml", "-o", "a.pdf"}).status, 2);
  EXPECT_EQ(place.run({"audit", "a.yaml", "-o", "none/a.html"}).status, 2);
  EXPECT_EQ(place.names(), (std::vector<std::string>{"a.html", "a.yaml"}));
}

} // namespace
} // namespace moesim::testing
