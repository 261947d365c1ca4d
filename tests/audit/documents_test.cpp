// The audits of the five deployment documents. verdicts/SCENARIO.txt has a line for each claim, reviewed by hand: a
// change of one is a change of what moesim says about a document. With MOESIM_UPDATE_GOLDEN=1 they are written anew.
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "simulator/audit/audit.hpp"
#include "simulator/pool/process_pool.hpp"

namespace moesim::audit {
namespace {

namespace fs = std::filesystem;

const fs::path scenarios = MOESIM_TEST_DIR "/../../workloads/scenarios";
const fs::path verdicts = MOESIM_TEST_DIR "/verdicts";

std::string text_of(const fs::path& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

class OfDocument : public ::testing::TestWithParam<const char*> {};

TEST_P(OfDocument, VerdictsAreAsReviewed) {
  const Audit result = audit(scenarios / (std::string(GetParam()) + ".yaml"), 2);
  std::string text;
  for (const Finding& finding : result.findings)
    text += finding.claim.id + ": " + std::string(name_of(finding.verdict)) + "\n";
  const fs::path file = verdicts / (std::string(GetParam()) + ".txt");
  const char* update = std::getenv("MOESIM_UPDATE_GOLDEN");
  if (update != nullptr && std::string_view(update) == "1")
    std::ofstream(file) << text;
  EXPECT_EQ(text, text_of(file));
  EXPECT_FALSE(result.holds()) << "there is no document without a mistake";
}

// What every answer has, whatever the claim: the contract of `audit --json`.
TEST_P(OfDocument, AnswersInJsonAreComplete) {
  const Audit result = audit(scenarios / (std::string(GetParam()) + ".yaml"), 2);
  const auto json = nlohmann::json::parse(to_json(result));
  ASSERT_EQ(json["claims"].size(), result.findings.size());
  const std::set<std::string> words{"consistent", "self-contradiction", "refuted", "beyond-hardware", "not-checkable"};
  for (const nlohmann::json& claim : json["claims"]) {
    EXPECT_TRUE(claim["id"].is_string() && claim["unit"].is_string()) << claim;
    EXPECT_FALSE(claim["quote"].get<std::string>().empty()) << claim;
    EXPECT_TRUE(claim["claimed"].is_number()) << claim;
    EXPECT_TRUE(claim["derived"].is_number() || claim["derived"].is_null()) << claim;
    EXPECT_TRUE(claim["simulated"].is_number() || claim["simulated"].is_null()) << claim;
    EXPECT_TRUE(words.contains(claim["verdict"])) << claim;
    const std::string because = claim["because"];
    EXPECT_FALSE(because.empty()) << claim;
    EXPECT_EQ(because.find('\n'), std::string::npos) << claim;
    const bool is_checked = claim["derived"].is_number() || claim["simulated"].is_number();
    EXPECT_EQ(claim["verdict"] == "not-checkable", !is_checked && claim["verdict"] != "beyond-hardware") << claim;
  }
}

std::string test_name(const ::testing::TestParamInfo<const char*>& scenario) {
  std::string name = scenario.param;
  std::ranges::replace(name, '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Audit, OfDocument,
                         ::testing::Values("gpus16-ep8-tp2", "moe10b-gpus64-ep8-tp4-pp2", "moe8l-gpus16-tp4-ep4-pp4",
                                           "moe10b-gpus16-pp4-ep4-dp4", "moe30b-gpus512-tp8-pp4-ep16"),
                         test_name);

// What is recommended is what its command runs: it loads, fits, and takes the time that was said.
TEST_P(OfDocument, DeploymentsAreWhatTheirCommandsRun) {
  const Audit result = audit(scenarios / (std::string(GetParam()) + ".yaml"), 2);
  ASSERT_FALSE(result.deployments.empty());
  for (const Deployment& deployment : result.deployments) {
    ASSERT_TRUE(deployment.nearest.found) << deployment.job;
    const fs::path file = scenarios / deployment.file;
    const Bytes capacity = scenario::load(file, deployment.assignments).cluster.gpu.usable_memory();
    const pool::Work work = [&] { return search::measure(file, deployment.assignments, capacity); };
    const pool::Outcome outcome = pool::run_all({&work, 1}).front();
    ASSERT_EQ(outcome.ending, pool::Ending::Done) << outcome.reason;
    const search::Measurement measured = search::read_measurement(outcome.value);
    EXPECT_TRUE(measured.fits) << command(deployment);
    EXPECT_EQ(measured.time, deployment.nearest.found->measurement.time) << command(deployment);
    EXPECT_EQ(deployment.nearest.meets, deployment.limits.asks() && deployment.limits.is_met_by(measured));
    EXPECT_LE(measured.time, deployment.nearest.as_given->measurement.time * (1 + 1e-9));
  }
}

// What everybody finds who multiplies 8, 4, 16 and 4.
TEST(Audit, DegreesAreMultiplied) {
  const Audit result = audit(scenarios / "moe30b-gpus512-tp8-pp4-ep16.yaml", 2);
  const auto found = std::ranges::find(result.findings, "gpus_of_degrees", [](const Finding& f) { return f.claim.id; });
  ASSERT_NE(found, result.findings.end());
  EXPECT_EQ(found->verdict, Verdict::SelfContradiction);
  EXPECT_EQ(found->evidence.derived, 2048);
  EXPECT_EQ(found->because, "8 × 4 × 16 × 4 = 2,048");
}

TEST(Audit, DoesNotDependOnTheNumberOfProcesses) {
  const fs::path file = scenarios / "moe10b-gpus16-pp4-ep4-dp4.yaml";
  const Audit one = audit(file, 1);
  EXPECT_EQ(to_json(one), to_json(audit(file, 3)));
  EXPECT_EQ(page(one), page(audit(file, 3)));
}

} // namespace
} // namespace moesim::audit
