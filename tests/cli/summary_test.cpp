// The figures of the scenarios that ship with moesim.
#include <set>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/cli/command.hpp"
#include "tests/cli/golden.hpp"

namespace moesim::testing {
namespace {

const std::filesystem::path scenarios = MOESIM_TEST_DIR "/../../workloads/scenarios";

void expect_golden_summary(const std::string& name) {
  const Outcome outcome = Workplace().run({"run", "--json", scenarios / (name + ".yaml")});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(outcome.err, "");
  auto summary = nlohmann::ordered_json::parse(outcome.out);
  EXPECT_GT(summary["wall_time_s"].get<double>(), 0);
  summary.erase("wall_time_s");
  expect_golden_json(name + ".json", summary.dump());
}

TEST(Summary, Mixtral) {
  expect_golden_summary("mixtral-8x7b-h100x64");
}

TEST(Summary, ThirtyBillionParameters) {
  expect_golden_summary("moe30b-gpus512-tp8-pp4-ep16");
}

TEST(Summary, MixtralInference) {
  expect_golden_summary("mixtral-8x7b-h100x8-inference");
}

// A scenario that ships without expected figures, or figures of a scenario that ships no more.
TEST(Summary, EveryScenarioHasFiguresAndEveryFileIsUsed) {
  std::set<std::string> expected{"small.graph.txt", "small.layout.txt", "small.platform.txt", "small.schedule.txt"};
  for (const auto& scenario : std::filesystem::directory_iterator(scenarios))
    expected.insert(scenario.path().stem().string() + ".json");
  std::set<std::string> found;
  for (const auto& file : std::filesystem::directory_iterator(golden_folder()))
    found.insert(file.path().filename().string());
  EXPECT_EQ(found, expected);
}

} // namespace
} // namespace moesim::testing
