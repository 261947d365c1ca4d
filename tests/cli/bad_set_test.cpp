// `--set path.to.field=VALUE`.
#include <gtest/gtest.h>

#include "tests/cli/command.hpp"

namespace moesim::testing {
namespace {

Outcome check_with(std::initializer_list<std::string> assignments, std::string_view scenario) {
  const Workplace place;
  place.write("scenario.yaml", scenario);
  Workplace::Arguments arguments{"check", "scenario.yaml"};
  for (const std::string& assignment : assignments)
    arguments.insert(arguments.end(), {"--set", assignment});
  return place.run(arguments);
}

std::string problems_with(std::initializer_list<std::string> assignments) {
  const Outcome outcome = check_with(assignments, small_scenario());
  EXPECT_EQ(outcome.status, 2);
  EXPECT_EQ(outcome.out, "");
  return outcome.err;
}

TEST(BadSet, NotAnAssignment) {
  EXPECT_EQ(problems_with({"parallel.tp"}), "--set:1:1: 'parallel.tp' has no '='; expected path.to.field=VALUE\n");
  EXPECT_EQ(problems_with({""}), "--set:1:1: '' has no '='; expected path.to.field=VALUE\n");
  EXPECT_EQ(problems_with({"=3"}), "--set:1:1: a name is missing in the path; expected path.to.field\n");
  EXPECT_EQ(problems_with({"parallel..tp=3"}), "--set:1:10: a name is missing in the path; expected path.to.field\n");
}

TEST(BadSet, NoSuchField) {
  EXPECT_EQ(problems_with({"parallel.tpx=3"}), "--set:1:10: parallel.tpx: unknown key 'tpx'; did you mean 'tp'?\n");
  EXPECT_EQ(problems_with({"fabric.nodes=3"}),
            "--set:1:1: fabric: unknown key 'fabric'; known keys are framework, version, name, platform, model, "
            "parallel, inference, training, simulation, moe, adapt, claims\n");
  EXPECT_EQ(problems_with({"parallel.tp.x=1"}),
            "--set:1:13: parallel.tp.x: 'x' lies below the number 2; expected a map or a list there\n");
}

TEST(BadSet, BadValue) {
  EXPECT_EQ(problems_with({"parallel.tp="}),
            "--set:1:13: parallel.tp: no value given; expected a whole number from 1 to 1000000\n");
  EXPECT_EQ(problems_with({"parallel.tp=["}), "--set:1:13: not valid YAML (end of sequence flow not found); check "
                                              "indentation, quotes and brackets here and just above\n");
  EXPECT_EQ(problems_with({"training.global_batch_size=7"}),
            "--set:1:28: training.global_batch_size: 7 is not a multiple of micro_batch_size x dp = 1 x 2 = 2; use 6 "
            "or 8\n");
}

TEST(BadSet, AllProblemsAtOnce) {
  EXPECT_EQ(problems_with({"parallel.tp", "parallel.pp=x"}),
            lines({"--set:1:1: 'parallel.tp' has no '='; expected path.to.field=VALUE",
                   "--set:1:13: parallel.pp: found the text \"x\"; expected a whole number from 1 to 1000000"}));
}

TEST(Set, LaterOnesWin) {
  const std::string scenario = small_scenario({{"global_batch_size: 4", "global_batch_size: 16"}});
  const Outcome outcome =
      check_with({"training.global_batch_size=8", "training.global_batch_size=16"}, small_scenario());
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(outcome.out, check_with({}, scenario).out);
}

// A field below a name stands for {base: NAME} with that field.
TEST(Set, GoesBelowNames) {
  const Outcome nodes =
      check_with({"platform.nodes=1"}, small_scenario({{"{base: dgx-h100, nodes: 2, node: {gpus: 4}}", "dgx-h100"}}));
  EXPECT_EQ(nodes.err, "");
  EXPECT_EQ(nodes.out, check_with({}, small_scenario({{"nodes: 2, node: {gpus: 4}", "nodes: 1"}})).out);

  const std::string by_name = small_scenario({{"nodes: 2", "nodes: 2, gpu: h100-sxm-80gb"}});
  for (const std::string& scenario : {small_scenario(), by_name}) {
    const Outcome memory = check_with({"platform.gpu.memory.capacity=1MB"}, scenario);
    EXPECT_EQ(memory.status, 1);
    EXPECT_EQ(memory.err, "");
    EXPECT_EQ(memory.out,
              check_with({}, small_scenario({{"nodes: 2", "nodes: 2, gpu: {memory: {capacity: 1MB}}"}})).out);
  }
}

} // namespace
} // namespace moesim::testing
