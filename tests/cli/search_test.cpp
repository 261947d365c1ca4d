// `moesim search`: what it prints, and what it says about bad input.
#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "tests/cli/command.hpp"

namespace moesim::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class SearchCommand : public ::testing::Test {
protected:
  SearchCommand() { place_.write("small.yaml", small_scenario()); }

  [[nodiscard]] Outcome search(std::vector<std::string> added) const {
    std::vector<std::string> arguments{"search", "small.yaml",    "--axis", "schedule=1f1b,gpipe",
                                       "--axis", "recompute=none"};
    arguments.insert(arguments.end(), added.begin(), added.end());
    return place_.run(arguments);
  }

  Workplace place_;
};

// What it says of the first is what `run` says of its settings.
TEST_F(SearchCommand, TheSettingsOfTheFirstGiveItsTime) {
  const Outcome found = search({"--json", "--top", "2"});
  ASSERT_EQ(found.status, 0) << found.err;
  const auto json = nlohmann::json::parse(found.out);
  ASSERT_EQ(json["ranking"].size(), 2U);
  const auto& best = json["ranking"][0];
  std::vector<std::string> arguments{"run", "small.yaml", "--json"};
  for (const std::string assignment : best["assignments"])
    arguments.insert(arguments.end(), {"--set", assignment});
  const auto run = nlohmann::json::parse(place_.run(arguments).out);
  EXPECT_EQ(run["iteration_time_s"], best["iteration_time_s"]);
  EXPECT_EQ(run["world_size"], json["gpus"]);
  EXPECT_LE(best["iteration_time_s"], json["ranking"][1]["iteration_time_s"]);
  EXPECT_LE(best["iteration_time_s"], json["as_given"]["iteration_time_s"]);
  double parts = best["compute_s"].get<double>() + best["bubble_s"].get<double>();
  for (const char* dimension : {"tp", "cp", "ep", "dp", "pp"})
    parts += best[std::string("exposed_") + dimension + "_s"].get<double>();
  EXPECT_NEAR(parts, best["iteration_time_s"], 1e-9 * parts);
  const auto& pruned = json["pruned"];
  EXPECT_EQ(json["candidates"], json["simulated"].get<int>() + pruned["cannot_win_by_layout"].get<int>() +
                                    pruned["cannot_win"].get<int>() + pruned["does_not_fit"].get<int>() +
                                    pruned["too_large_to_simulate"].get<int>());
}

TEST_F(SearchCommand, PrintsARankingAndHowToRunTheFirst) {
  const Outcome found = search({"--gpus", "4", "--top", "2", "-j", "1"});
  ASSERT_EQ(found.status, 0) << found.err;
  EXPECT_THAT(found.out, StartsWith("small: the best training on 4 GPUs by throughput\n\n 1  "));
  EXPECT_THAT(found.out,
              HasSubstr("\nmoesim run small.yaml \\\n  --set 'platform.nodes=1' \\\n  --set 'parallel={tp: "));
  EXPECT_EQ(found.err, "");
}

TEST_F(SearchCommand, SaysWhenNothingFits) {
  const Outcome none = search({"--limit", "memory=1MiB"});
  EXPECT_EQ(none.status, 1);
  EXPECT_THAT(none.out, HasSubstr("no candidate fits\n"));
  EXPECT_THAT(none.out, HasSubstr("the scenario as it is does not fit: "));
}

TEST_F(SearchCommand, SaysWhenNothingIsValid) {
  const Outcome none = search({"--axis", "tp=3"});
  EXPECT_EQ(none.status, 1);
  EXPECT_THAT(none.out, HasSubstr("no candidate is valid\n"));
}

TEST_F(SearchCommand, RefusesBadOptions) {
  const Outcome axis = search({"--axis", "tp=x"});
  EXPECT_EQ(axis.status, 2);
  EXPECT_EQ(axis.err, "--axis:1:4: tp.0: found the text \"x\"; expected a whole number from 1 to 100000000\n");
  const Outcome limit = search({"--limit", "time=1s"});
  EXPECT_EQ(limit.status, 2);
  EXPECT_THAT(limit.err, HasSubstr("'time=1s' is no limit; expected memory=SIZE, such as memory=64GiB"));
  const Outcome file = place_.run({"search", "missing.yaml"});
  EXPECT_EQ(file.status, 2);
  EXPECT_THAT(file.err, StartsWith("missing.yaml:1:1: cannot be opened"));
}

} // namespace
} // namespace moesim::testing
