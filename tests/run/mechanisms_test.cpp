// What options that hide or shrink communication do to the time of an iteration, on links of its own and on shared
// ones.
#include <array>
#include <string>

#include <gtest/gtest.h>

#include "tests/run/makespan.hpp"
#include "tests/run/test_scenario.hpp"

namespace moesim::run {
namespace {

using graph::Stream;
using scenario::Scenario;
using workloads::Sharding;

// Eight replicas on nodes whose network is slow enough to matter.
Scenario replicated(Sharding sharding) {
  Scenario scenario = small_scenario();
  scenario.job().sizes = {.tp = 2, .pp = 2, .ep = 4, .dp = 8};
  scenario.cluster.nic.bandwidth = BytesPerSecond(10e9);
  scenario.training_job().training.sharding = sharding;
  scenario.training_job().training.overlap = {.grad_reduce = true, .param_gather = true, .pp = true};
  return scenario;
}

// Looking further ahead starts each gather earlier and moves nothing else. It pays where parts are of unlike size, as
// long as the network keeps up: reductions wait behind whatever gathers are under way.
TEST(Mechanisms, LookingFurtherAheadIsNoSlower) {
  for (const bool reduces_beside : {false, true}) {
    Scenario scenario = replicated(Sharding::Zero3);
    scenario.cluster.nic.bandwidth = BytesPerSecond(50e9);
    scenario.training_job().training.seq_length = 16384;
    scenario.training_job().training.overlap.grad_reduce = reduces_beside;
    const Seconds first = ideal_time(scenario);
    Seconds before = first;
    for (const std::int64_t parts : {2, 3, 5}) {
      scenario.training_job().training.prefetch = parts;
      const Seconds now = ideal_time(scenario);
      EXPECT_LE(now, before * (1 + 1e-12)) << parts << " ahead";
      before = now;
    }
    EXPECT_LT(before, first);
  }
}

// Between nodes fewer bytes take less time, up to where the kernels around them cost more than they save.
TEST(Mechanisms, CompressionPaysWhereTheNetworkIsSlow) {
  for (const Sharding sharding : {Sharding::None, Sharding::Zero1, Sharding::Zero2, Sharding::Zero3}) {
    Scenario scenario = replicated(sharding);
    scenario.training_job().training.overlap.grad_reduce = false;
    const Seconds plain = simulated_time(scenario);
    scenario.training_job().training.grad_compression = 0.5;
    const Seconds half = simulated_time(scenario);
    scenario.training_job().training.grad_compression = 0.25;
    const Seconds quarter = simulated_time(scenario);
    EXPECT_LT(half, plain) << name_of(sharding);
    EXPECT_LT(quarter, half) << name_of(sharding);
    // With nothing saved, the kernels are left.
    scenario.training_job().training.grad_compression = 1;
    EXPECT_GT(simulated_time(scenario), plain) << name_of(sharding);
  }
}

// Streams that are one wait for each other.
TEST(Mechanisms, FewerStreamsAreNoFaster) {
  Scenario scenario = replicated(Sharding::Zero3);
  const Seconds apart = ideal_time(scenario);
  graph::Queues& queues = scenario.job().queues;
  queues[static_cast<std::size_t>(Stream::Dp)] = Stream::Tp;
  const Seconds two = ideal_time(scenario);
  queues[static_cast<std::size_t>(Stream::Ep)] = Stream::Tp;
  const Seconds all = ideal_time(scenario);
  EXPECT_GT(two, apart);
  EXPECT_GE(all, two * (1 - 1e-12));
}

} // namespace
} // namespace moesim::run
