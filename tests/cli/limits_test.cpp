// Sizes far from any job: they run at once in little memory. (What is refused instead: bad_fit_test.cpp.)
#include <chrono>

#include <sys/resource.h>

#include <gtest/gtest.h>

#include "tests/cli/command.hpp"

namespace moesim::testing {
namespace {

// Sanitizers map terabytes of address space.
#if defined(__SANITIZE_ADDRESS__)
constexpr bool limits_memory = false;
#else
constexpr bool limits_memory = true;
#endif

Workplace::Preparation within(rlim_t bytes) {
  return [bytes] {
    const rlimit limit{.rlim_cur = bytes, .rlim_max = bytes};
    if (limits_memory)
      setrlimit(RLIMIT_AS, &limit);
  };
}

constexpr rlim_t gigabyte = 1'000'000'000;

Outcome run_within(rlim_t bytes, Workplace::Arguments arguments, std::initializer_list<std::string> assignments) {
  const Workplace place;
  place.write("small.yaml", small_scenario());
  arguments.push_back("small.yaml");
  for (const std::string& assignment : assignments)
    arguments.insert(arguments.end(), {"--set", assignment});
  return place.run(arguments, within(bytes));
}

void expect_done(const Outcome& outcome) {
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(outcome.err, "");
}

TEST(Limits, MostLayers) {
  expect_done(run_within(gigabyte, {"run"}, {"model.num_hidden_layers=10000"}));
}

TEST(Limits, LargestVocabulary) {
  expect_done(run_within(gigabyte, {"run"}, {"model.vocab_size=100000000"}));
}

TEST(Limits, LongestSequence) {
  expect_done(run_within(gigabyte, {"run"}, {"training.seq_length=100000000"}));
}

TEST(Limits, ManyStagesOfManyMicroBatches) {
  expect_done(run_within(gigabyte, {"check"},
                         {"platform.nodes=250", "parallel={pp: 1000}", "model.num_hidden_layers=1000",
                          "training.global_batch_size=5000"}));
}

TEST(Limits, LargestClusterWithAnOverride) {
  expect_done(run_within(gigabyte, {"check"},
                         {"platform.nodes=1000000", "parallel.dp=2",
                          "platform.overrides=[{link: node999999.nic3, bandwidth_factor: 0.5}]"}));
}

TEST(Limits, MostRanks) {
  expect_done(run_within(gigabyte, {"dump", "layout"},
                         {"platform.nodes=262144", "parallel.dp=262144", "training.global_batch_size=262144"}));
}

TEST(Limits, SlowestHardware) {
  expect_done(run_within(gigabyte, {"run"},
                         {"platform.gpu.peak.bf16=1FLOP/s", "platform.gpu.memory.bandwidth=1B/s",
                          "platform.gpu.launch_overhead=1e6s", "platform.node.nic.bandwidth_per_direction=1B/s",
                          "platform.node.nvlink.latency=1e6s"}));
}

TEST(Limits, FastestHardware) {
  expect_done(run_within(gigabyte, {"run"},
                         {"platform.gpu.peak.bf16=1000EFLOP/s", "platform.gpu.memory.bandwidth=1000PB/s",
                          "platform.gpu.launch_overhead=0", "platform.node.nic.bandwidth_per_direction=1000PB/s",
                          "platform.node.nic.latency=0", "platform.node.nvlink.bandwidth_per_direction=1000PB/s",
                          "platform.node.nvlink.latency=0", "platform.collective_latency=0"}));
}

TEST(Limits, TooLittleMemoryIsSaid) {
  if (!limits_memory)
    GTEST_SKIP() << "memory cannot be limited under the address sanitizer";
  for (const Workplace::Arguments& arguments : {Workplace::Arguments{"run"}, {"run", "small.yaml"}}) {
    const Outcome outcome = run_within(gigabyte / 2, arguments, {"training.global_batch_size=100000"});
    EXPECT_EQ(outcome.status, 2);
    EXPECT_EQ(outcome.out, "");
    EXPECT_EQ(outcome.err,
              "moesim: there is not enough memory for this run; use a smaller batch, fewer layers or fewer GPUs\n");
  }
}

} // namespace
} // namespace moesim::testing
