// The figures of the scenarios that ship with moesim.
#include <algorithm>
#include <set>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/cli/command.hpp"
#include "tests/cli/golden.hpp"
#include "tests/cli/shipped.hpp"

namespace moesim::testing {
namespace {

std::vector<std::string> shipped() {
  std::vector<std::string> names;
  for (const auto& scenario : std::filesystem::directory_iterator(shipped_scenarios))
    names.push_back(scenario.path().stem().string());
  std::ranges::sort(names);
  return names;
}

class OfScenario : public ::testing::TestWithParam<std::string> {};

TEST_P(OfScenario, IsWhatItWas) {
  const std::filesystem::path file = shipped_scenarios / (GetParam() + ".yaml");
  const Outcome outcome = Workplace().run({"run", "--json", file});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  auto summary = nlohmann::ordered_json::parse(outcome.out);
  EXPECT_GT(summary["wall_time_s"].get<double>(), 0);
  summary.erase("wall_time_s");
  expect_golden_json(GetParam() + ".json", summary.dump());
}

std::string test_name(const ::testing::TestParamInfo<std::string>& scenario) {
  std::string name = scenario.param;
  std::ranges::replace(name, '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Summary, OfScenario, ::testing::ValuesIn(shipped()), test_name);

// A scenario that ships without expected figures, or figures of a scenario that ships no more.
TEST(Summary, EveryScenarioHasFiguresAndEveryFileIsUsed) {
  std::set<std::string> expected{"small.graph.txt", "small.layout.txt", "small.platform.txt", "small.schedule.txt",
                                 "schedule-1f1b.txt"};
  for (const std::string& name : shipped())
    expected.insert(name + ".json");
  std::set<std::string> found;
  for (const auto& file : std::filesystem::directory_iterator(golden_folder()))
    found.insert(file.path().filename().string());
  EXPECT_EQ(found, expected);
}

} // namespace
} // namespace moesim::testing
