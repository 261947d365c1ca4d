// `moesim check` prints a scenario: what it was given, with every default visible.
#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "simulator/base/format.hpp"
#include "tests/cli/command.hpp"
#include "tests/cli/shipped.hpp"

namespace moesim::testing {
namespace {

using Json = nlohmann::ordered_json;

Json summary(const Workplace& place, const std::string& scenario) {
  const Outcome outcome = place.run({"run", "--json", scenario});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  Json json = Json::parse(outcome.out);
  json.erase("wall_time_s");
  return json;
}

void expect_round_trip(const std::string& scenario) {
  const Workplace place;
  place.write("written.yaml", scenario);
  const Outcome resolved = place.run({"check", "written.yaml"});
  EXPECT_EQ(resolved.status, 0) << resolved.err;
  place.write("resolved.yaml", resolved.out);
  const Outcome again = place.run({"check", "resolved.yaml"});
  EXPECT_EQ(again.status, 0) << again.err;
  for (const Outcome& outcome : {resolved, again})
    EXPECT_THAT(outcome.err, ::testing::MatchesRegex("(warning: [^\n]*\n)*"));
  EXPECT_EQ(again.out, resolved.out);
  EXPECT_EQ(summary(place, "resolved.yaml"), summary(place, "written.yaml"));
}

TEST(Check, PrintsAScenarioThatMeansTheSame) {
  expect_round_trip(small_scenario());
  for (const auto& file : std::filesystem::directory_iterator(shipped_scenarios))
    expect_round_trip(read_all(file.path()));
}

TEST(Check, PrintsOverridesAndOddFigures) {
  expect_round_trip(small_scenario(
      {{"nodes: 2", "nodes: 2, collective_latency: 0.1us, gpu: {launch_overhead: 1e-9s, memory: {bandwidth: 3.3TB/s}}, "
                    "overrides: [{gpu: 3, speed: 0.1}, {link: node1.nic0, bandwidth_factor: 0.3}]"}}));
  expect_round_trip(small_scenario({{"nodes: 2", "nodes: 2, gpu: {communication: {ep: 0, dp: 7}}"}}));
  expect_round_trip(small_scenario({{"nodes: 2", "nodes: 2, fabric: {type: fat-tree, nodes_per_leaf: 1, "
                                                 "oversubscription: 1.1}, "
                                                 "overrides: [{link: leaf1.down, bandwidth_factor: 0.3}]"}}));
}

TEST(Check, PrintsOddNames) {
  expect_round_trip(small_scenario({{"name: small", R"(name: "a \"b\" \\ c\n\td: # e\x7f")"}}));
  expect_round_trip(small_scenario({{"name: small", "name: \u6df7\u5408 \u00fcber \U0001F600"}}));
  expect_round_trip(
      small_scenario({{"name: small", "name: '- {a: [1, \"}'"}, {"model_type", "name: '*x'\n  model_type"}}));
}

TEST(Check, CountsTheTasksOfTheRun) {
  const Workplace place;
  place.write("small.yaml", small_scenario());
  for (const std::string batch : {"2", "4", "20"}) {
    const std::string set = "training.global_batch_size=" + batch;
    const Json run = Json::parse(place.run({"run", "--json", "small.yaml", "--set", set}).out);
    const std::string check = place.run({"check", "small.yaml", "--set", set}).out;
    std::string tasks = std::to_string(run["tasks"].get<int>());
    if (tasks.size() > 3)
      tasks.insert(tasks.size() - 3, ",");
    EXPECT_NE(check.find(" in " + tasks + " tasks\n"), std::string::npos) << check;
  }
}

// With links to itself, as in a network that shares none, and with every multiprocessor for its kernels.
TEST(Check, BoundsTheTimeOfTheRun) {
  const Workplace place;
  place.write("small.yaml", small_scenario());
  const Json run = Json::parse(place
                                   .run({"run", "--json", "small.yaml", "--set", "simulation.network=analytic", "--set",
                                         "platform.gpu.communication={pp: 0}"})
                                   .out);
  const std::string check = place.run({"check", "small.yaml"}).out;
  const std::string line =
      "\n# lower bound: " + format_seconds(Seconds(run["iteration_time_s"].get<double>())) + " an iteration, with ";
  EXPECT_NE(check.find(line), std::string::npos) << check << line;
}

TEST(Check, SaysNoWhenTheModelDoesNotFit) {
  const Workplace place;
  place.write("small.yaml", small_scenario());
  const Outcome outcome = place.run({"check", "small.yaml", "--set", "platform.gpu.memory.capacity=11MiB", "--set",
                                     "platform.gpu.memory.reserved=1MiB"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.out, ::testing::ContainsRegex("\n# memory: [0-9.]+ MiB of 10 MiB on the fullest GPU; it does not "
                                                    "fit, by [0-9.]+ MiB\n"));
}

} // namespace
} // namespace moesim::testing
