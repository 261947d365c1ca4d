// `moesim run`: what it prints and writes.
#include <array>
#include <regex>
#include <set>

#include <unistd.h>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/cli/command.hpp"

namespace moesim::testing {
namespace {

using Json = nlohmann::ordered_json;

Json without_wall_time(Json summary) {
  summary.erase("wall_time_s");
  return summary;
}

std::string without_wall_time(const std::string& text) {
  return std::regex_replace(text, std::regex("in [0-9.]+ s of wall time"), "in - s of wall time");
}

const std::set<std::string> keys_of_training{"iteration_time_s",
                                             "tokens_per_s",
                                             "tokens_per_s_per_gpu",
                                             "model_tflops_per_gpu",
                                             "mfu",
                                             "hfu",
                                             "bubble_fraction",
                                             "bubbles",
                                             "exposed_communication_fraction",
                                             "peak_memory_bytes",
                                             "memory_capacity_bytes",
                                             "fits",
                                             "world_size",
                                             "simulated_ranks",
                                             "symmetry",
                                             "tasks",
                                             "wall_time_s"};
const std::set<std::string> keys_of_experts{
    "load_max_over_mean", "load_cv",         "rank_load_max_over_mean", "rank_load_cv",
    "routed_tokens",      "computed_tokens", "dropped_tokens",          "moved_tokens",
    "moved_bytes",        "imbalance_s",     "expert_latency_p50_s",    "expert_latency_p99_s"};

std::set<std::string> keys_of(const std::string& json) {
  std::set<std::string> keys;
  const Json summary = Json::parse(json);
  for (const auto& [key, value] : summary.items())
    keys.insert(key);
  return keys;
}

// Every figure of the summary is that of all ranks, though one of each class is simulated.
TEST(Run, FoldedSummariesSayWhatFullOnesSay) {
  const Workplace place;
  place.write("small.yaml",
              small_scenario({{"nodes: 2", "nodes: 2, overrides: [{gpu: 1, speed: 0.8}, {gpu: 3, speed: 0.8}]"}}));
  const Json folded = Json::parse(place.run({"run", "--json", "small.yaml"}).out);
  const Json full = Json::parse(place.run({"run", "--json", "small.yaml", "--set", "simulation.symmetry=off"}).out);
  EXPECT_LT(folded["simulated_ranks"], full["simulated_ranks"]);
  for (const auto& [key, value] : full.items()) {
    if (value.is_number() && key != "simulated_ranks" && key != "wall_time_s") {
      EXPECT_NEAR(folded[key].get<double>(), value.get<double>(), 1e-9 * value.get<double>()) << key;
    }
  }
  const Json expected = full["bubbles"].flatten();
  const Json bubbles = folded["bubbles"].flatten();
  for (const auto& [key, value] : expected.items())
    EXPECT_NEAR(bubbles[key].get<double>(), value.get<double>(), 1e-9 * full["iteration_time_s"].get<double>()) << key;
}

TEST(Run, JsonHasTheKeysOfTheContract) {
  const Workplace place;
  place.write("small.yaml", small_scenario());
  std::set<std::string> expected = keys_of_training;
  expected.insert(keys_of_experts.begin(), keys_of_experts.end());
  EXPECT_EQ(keys_of(place.run({"run", "--json", "small.yaml"}).out), expected);
  place.write("dense.yaml",
              small_scenario({{"  num_local_experts: 4\n  num_experts_per_tok: 2\n", ""}, {", ep: 2", ""}}));
  EXPECT_EQ(keys_of(place.run({"run", "--json", "dense.yaml"}).out), keys_of_training);
}

TEST(Run, TwoScenariosEqualTwoRuns) {
  const Workplace place;
  place.write("a.yaml", small_scenario());
  place.write("b.yaml", small_scenario({{"small", "other"}, {"global_batch_size: 4", "global_batch_size: 8"}}));
  const Outcome a = place.run({"run", "a.yaml"});
  const Outcome b = place.run({"run", "b.yaml"});
  const Outcome both = place.run({"run", "a.yaml", "b.yaml"});
  EXPECT_EQ(both.status, 0);
  EXPECT_EQ(without_wall_time(both.out), without_wall_time(a.out + "\n" + b.out));

  const Json array = Json::parse(place.run({"run", "--json", "a.yaml", "b.yaml"}).out);
  ASSERT_TRUE(array.is_array());
  ASSERT_EQ(array.size(), 2U);
  EXPECT_EQ(without_wall_time(array[0]), without_wall_time(Json::parse(place.run({"run", "--json", "a.yaml"}).out)));
  EXPECT_EQ(without_wall_time(array[1]), without_wall_time(Json::parse(place.run({"run", "--json", "b.yaml"}).out)));
}

TEST(Run, MistakesOfAllScenariosAreReportedBeforeAnyRuns) {
  const Workplace place;
  place.write("a.yaml", small_scenario({{"tp: 2", "tp: two"}}));
  place.write("b.yaml", small_scenario());
  const Outcome outcome = place.run({"run", "c.yaml", "b.yaml", "a.yaml"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(outcome.err,
            lines({"a.yaml:14:16: parallel.tp: found the text \"two\"; expected a whole number from 1 to 1000000",
                   "c.yaml:1:1: cannot be opened (No such file or directory); expected a YAML or JSON file"}));
}

TEST(Run, WhatDoesNotFitIsAnAnswer) {
  const Workplace place;
  place.write("small.yaml", small_scenario());
  const std::string smaller = "platform.gpu.memory={capacity: 2MB, reserved: 1MB}";
  const Outcome relaxed = place.run({"run", "--json", "small.yaml", "--set", smaller});
  EXPECT_EQ(relaxed.status, 0);
  EXPECT_EQ(Json::parse(relaxed.out)["fits"], false);
  const Outcome strict = place.run({"run", "--strict", "small.yaml", "--set", smaller});
  EXPECT_EQ(strict.status, 1);
  EXPECT_NE(strict.out.find(" MiB of 976.6 KiB, does not fit: "), std::string::npos) << strict.out;
  EXPECT_EQ(place.run({"run", "--strict", "small.yaml"}).status, 0);
  EXPECT_EQ(place.run({"run", "--strict", "small.yaml", "small.yaml", "--set", smaller}).status, 1);
}

TEST(Run, TheSameInputGivesTheSameBytes) {
  const Workplace place;
  place.write("small.yaml", small_scenario());
  place.write("deep/er/other.yaml", small_scenario());
  const Outcome first = place.run({"run", "small.yaml", "-o", "result.h5"});
  EXPECT_EQ(first.status, 0);
  EXPECT_EQ(first.err, "");
  const std::string bytes = read_all(place.path() / "result.h5");
  EXPECT_EQ(bytes.substr(1, 3), "HDF");
  const Outcome again = place.run({"run", "small.yaml", "-o", "result.h5"});
  EXPECT_EQ(without_wall_time(again.out), without_wall_time(first.out));
  EXPECT_TRUE(read_all(place.path() / "result.h5") == bytes);
  // From elsewhere, under another path.
  const Workplace elsewhere;
  EXPECT_EQ(elsewhere.run({"run", place.path() / "deep/er/other.yaml", "-o", "elsewhere.h5"}).status, 0);
  EXPECT_TRUE(read_all(elsewhere.path() / "elsewhere.h5") == bytes);
}

TEST(Run, WithoutOutputNothingIsWritten) {
  const Workplace place;
  place.write("small.yaml", small_scenario());
  EXPECT_EQ(place.run({"run", "small.yaml"}).status, 0);
  EXPECT_EQ(place.names(), std::vector<std::string>{"small.yaml"});
}

// A pipe can be read once only.
TEST(Run, ReadsFromAPipe) {
  const Workplace place;
  place.write("small.yaml", small_scenario());
  const Outcome outcome = place.run({"run", "--json", "/dev/stdin"}, [&] {
    std::array<int, 2> ends{};
    if (pipe(ends.data()) != 0 || dup2(ends[0], 0) < 0)
      _exit(127);
    const std::string text = small_scenario();
    if (write(ends[1], text.data(), text.size()) < 0)
      _exit(127);
    close(ends[1]);
  });
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(without_wall_time(Json::parse(outcome.out)),
            without_wall_time(Json::parse(place.run({"run", "--json", "small.yaml"}).out)));
}

} // namespace
} // namespace moesim::testing
