// Whatever a scenario combines, the bound is no more than the simulated time, and not much less; the bound knows
// nothing of kernels that communication slows, so what it is close to is the time without.
#include <algorithm>
#include <array>
#include <bit>
#include <fstream>
#include <optional>
#include <random>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "platforms/links.hpp"
#include "simulator/base/input_error.hpp"
#include "tests/record/temporary_folder.hpp"
#include "tests/run/random_scenario.hpp"
#include "tests/screen/simulated.hpp"

namespace moesim::screen {
namespace {

constexpr std::uint64_t drawn = 1500;

std::optional<scenario::Scenario> load_unless_refused(const std::string& text) {
  const moesim::testing::TemporaryFolder folder;
  const std::filesystem::path file = folder / "scenario.yaml";
  std::ofstream(file, std::ios::binary) << text;
  try {
    return scenario::load(file, {});
  } catch (const InputError&) {
    return std::nullopt;
  }
}

// Some GPUs and links are slower than the catalogue says, or faster; and ranks in another order, where it fits.
void change_platform(scenario::Scenario& scenario, std::uint64_t seed) {
  platforms::Cluster& cluster = scenario.cluster;
  std::mt19937_64 engine(seed);
  const auto below = [&](std::int64_t limit) {
    return static_cast<std::uint32_t>(engine() % static_cast<std::uint64_t>(limit));
  };
  const auto factor = [&] { return std::array{0.3, 0.5, 0.9, 1.5}[below(4)]; };
  for (std::uint32_t gpus = below(3); gpus > 0; --gpus)
    cluster.slow_gpus.push_back({below(cluster.gpu_count()), factor()});
  for (std::uint32_t links = below(4); links > 0; --links)
    cluster.degraded_links.push_back({below(platforms::first_trunk(cluster)), factor()});
  const char* order = std::array{"tp-cp-ep-dp-pp", "tp-ep-dp-cp-pp", "pp-tp-cp-ep-dp", "dp-cp-ep-tp-pp"}[below(4)];
  if (workloads::Layout::problems(scenario.job().sizes, order).empty())
    scenario.rank_order = order;
}

// Where all ranks of a stage see the same of the cluster.
bool has_ranks_alike(const scenario::Scenario& scenario) {
  const workloads::ParallelSizes& sizes = scenario.job().sizes;
  const platforms::Cluster& cluster = scenario.cluster;
  return cluster.slow_gpus.empty() && cluster.degraded_links.empty() && !cluster.has_leaves() &&
         std::ranges::all_of(std::array{sizes.tp, sizes.cp, sizes.pp, sizes.ep, sizes.etp, sizes.dp},
                             [](std::int64_t size) { return std::has_single_bit(static_cast<std::uint64_t>(size)); });
}

// Of the schedules whose passes the screen runs one by one, and of inference; of others it bounds the work of a stage.
// Streams that wait for each other, and the kernels that compress gradients, it leaves out.
bool follows_passes(const scenario::Scenario& scenario) {
  if (scenario.job().queues != graph::own_queues())
    return false;
  if (!scenario.is_training())
    return true;
  if (scenario.training_job().training.grad_compression)
    return false;
  const workloads::Training& training = scenario.training_job().training;
  return (training.schedule == "1f1b" || training.schedule == "gpipe") && training.p2p == workloads::P2p::Eager &&
         training.overlap.expert != workloads::ExpertOverlap::Passes;
}

class Mean {
public:
  void add(double value) {
    sum_ += value;
    ++count_;
  }
  [[nodiscard]] double value() const { return sum_ / count_; }

private:
  double sum_ = 0;
  double count_ = 0;
};

TEST(RandomScreen, IsNoMoreThanTheSimulatedTime) {
  Mean plain, shared, changed, of_work;
  std::uint64_t ran = 0;
  for (std::uint64_t seed = 0; seed < drawn; ++seed) {
    const std::string text = run::random_scenario(seed);
    std::optional<scenario::Scenario> scenario = load_unless_refused(text);
    if (!scenario)
      continue;
    SCOPED_TRACE("scenario " + std::to_string(seed) + ":\n" + text);
    const Seconds slowed = ideal_time(*scenario);
    const platforms::CommunicationKernels taken = std::exchange(scenario->cluster.gpu.communication, {});
    const Seconds ideal = ideal_time(*scenario);
    EXPECT_GE(slowed, ideal * (1 - 1e-9));
    const double tightness = bound_of(*scenario) / ideal;
    EXPECT_LE(tightness, 1 + 1e-9);
    const bool follows = follows_passes(*scenario);
    if (follows) {
      EXPECT_GE(tightness, scenario->is_training() && has_ranks_alike(*scenario) ? 1 - 1e-9 : 0.75);
    }
    (follows ? plain : of_work).add(tightness);
    const bool runs_fluid = ran++ % 10 == 0; // takes longer
    if (runs_fluid) {
      const double beside_others = bound_of(*scenario) / simulated_time(*scenario);
      EXPECT_LE(beside_others, 1 + 1e-9);
      if (follows)
        shared.add(beside_others);
    }
    change_platform(*scenario, seed);
    const double on_another = bound_of(*scenario) / ideal_time(*scenario);
    EXPECT_LE(on_another, 1 + 1e-9) << "with overrides, ranks " << scenario->rank_order;
    if (follows)
      changed.add(on_another);
    if (runs_fluid) {
      scenario->cluster.gpu.communication = taken;
      EXPECT_LE(bound_of(*scenario), simulated_time(*scenario) * (1 + 1e-9)) << "with overrides";
    }
  }
  EXPECT_GE(of_work.value(), 0.8);

  EXPECT_GE(plain.value(), 0.998);
  EXPECT_GE(shared.value(), 0.99);
  EXPECT_GE(changed.value(), 0.99);
}

// Where loads are unequal and tokens are dropped, the bound knows nothing of what experts do, and stays below.
TEST(RandomScreen, IsNoMoreThanTheSimulatedTimeOfUnequalLoads) {
  std::uint64_t ran = 0;
  for (std::uint64_t seed = 0; seed < drawn / 3; ++seed) {
    const std::string text = run::random_scenario(seed) + run::random_routing(seed);
    const std::optional<scenario::Scenario> scenario = load_unless_refused(text);
    if (!scenario || !scenario->job().model.moe)
      continue;
    ++ran;
    EXPECT_LE(bound_of(*scenario), ideal_time(*scenario) * (1 + 1e-9)) << text;
  }
  EXPECT_GT(ran, 50U);
}

} // namespace
} // namespace moesim::screen
