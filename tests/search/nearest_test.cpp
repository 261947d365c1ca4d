// The nearest candidate that does what is wanted is what simulating all candidates finds.
#include "simulator/search/nearest.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "simulator/pool/process_pool.hpp"
#include "tests/search/searched.hpp"

namespace moesim::search {
namespace {

constexpr Bytes plenty(80e9);

// Few enough values of each axis to simulate every candidate, the scenario's own first.
Space small_space(const Searched& searched) {
  Subject subject = searched.subject();
  Axes axes = axes_around(subject);
  axes.schedule.resize(2);
  axes.overlap.resize(2);
  axes.recompute.resize(2);
  axes.cp = {1};
  axes.etp = {1};
  return Space(std::move(subject), std::move(axes));
}

std::vector<Measurement> measure_all(const Space& space) {
  const std::vector<Candidate> all = candidates_of(space);
  std::vector<Measurement> measurements(all.size());
  pool::run_each(
      all.size(), [&](std::size_t at) { return measure(space.subject().file, space.assignments(all[at]), plenty); },
      {.workers = 2},
      [&](std::size_t at, const pool::Outcome& outcome) {
        ASSERT_EQ(outcome.ending, pool::Ending::Done) << outcome.reason;
        measurements[at] = read_measurement(outcome.value);
      });
  return measurements;
}

// How many settings differ from the scenario's, counted anew from the fields of the loaded scenarios.
std::size_t distance(const Space& space, Candidate candidate) {
  const scenario::Scenario own = space.subject().scenario;
  const scenario::Scenario other = scenario::load(space.subject().file, space.assignments(candidate));
  const workloads::ParallelSizes& a = own.job().sizes;
  const workloads::ParallelSizes& b = other.job().sizes;
  const workloads::Training& x = own.training_job().training;
  const workloads::Training& y = other.training_job().training;
  const auto one = [](bool differs) { return differs ? std::size_t{1} : std::size_t{0}; };
  return one(a.tp != b.tp) + one(a.cp != b.cp) + one(a.pp != b.pp) + one(a.ep != b.ep) + one(a.etp != b.etp) +
         one(x.micro_batch_size != y.micro_batch_size) + one(x.schedule != y.schedule || a.vpp != b.vpp) +
         one(scenario::yaml_of(x.recompute) != scenario::yaml_of(y.recompute)) + one(x.sharding != y.sharding) +
         one(scenario::yaml_of(x.overlap) != scenario::yaml_of(y.overlap));
}

TEST(Nearest, IsWhatSimulatingAllFinds) {
  const Searched searched;
  const Space space = small_space(searched);
  const std::vector<Candidate> all = candidates_of(space);
  const std::vector<Measurement> measurements = measure_all(space);
  std::vector<Seconds> fastest(most_changes + 1, Wanted::any); // by the number of changes
  for (std::size_t at = 0; at < all.size(); ++at)
    if (const std::size_t count = distance(space, all[at]); count <= most_changes)
      fastest[count] = std::min(fastest[count], measurements[at].time);
  const Seconds own = fastest[0];
  ASSERT_LT(own, Wanted::any);
  // Times that no, one, ... changes are enough for, and one that none are.
  std::vector<Seconds> limits{own, Seconds(1e-9)};
  limits.insert(limits.end(), fastest.begin() + 1, fastest.end());
  for (const Seconds limit : limits) {
    const Seconds wanted = limit * (1 + 1e-9);
    const auto enough = std::ranges::find_if(fastest, [&](Seconds time) { return time <= wanted; });
    const Nearest result = nearest(space, {.time = wanted}, plenty, 2);
    ASSERT_TRUE(result.found && result.as_given);
    EXPECT_NEAR(result.as_given->measurement.time / own, 1, 1e-9);
    EXPECT_EQ(result.meets, enough != fastest.end());
    const Seconds expected = enough != fastest.end() ? *enough : *std::ranges::min_element(fastest);
    EXPECT_NEAR(result.found->measurement.time / expected, 1, 1e-9);
    EXPECT_EQ(result.changes.size(), distance(space, result.found->candidate));
    if (result.meets) {
      EXPECT_EQ(result.changes.size(), static_cast<std::size_t>(enough - fastest.begin()));
    }
  }
  // Asked for nothing, the fastest.
  const Nearest best = nearest(space, {}, plenty, 2);
  EXPECT_FALSE(best.meets);
  EXPECT_NEAR(best.found->measurement.time / *std::ranges::min_element(fastest), 1, 1e-9);
}

TEST(Nearest, DependsOnNoNumberOfWorkers) {
  const Searched searched;
  const Space space = small_space(searched);
  const Nearest one = nearest(space, {.time = Seconds(1e-9)}, plenty, 1);
  const Nearest three = nearest(space, {.time = Seconds(1e-9)}, plenty, 3);
  EXPECT_EQ(one.found->candidate, three.found->candidate);
  EXPECT_EQ(one.simulated, three.simulated);
}

TEST(Nearest, SaysWhatItChanged) {
  const Searched searched(searched_inference);
  Subject subject = searched.subject();
  Axes axes = axes_around(subject);
  axes.tp = {1};
  axes.pp = {2};
  axes.ep = {2};
  const Space space(std::move(subject), std::move(axes));
  const Nearest result = nearest(space, {}, plenty, 2);
  EXPECT_FALSE(result.as_given) << "it has tp 2";
  ASSERT_TRUE(result.found);
  ASSERT_FALSE(result.changes.empty());
  EXPECT_EQ(result.changes.front().axis, "tp");
  EXPECT_EQ(result.changes.front().from, "2");
  EXPECT_EQ(result.changes.front().to, "1");
}

TEST(Nearest, FindsNothingWhereNothingFits) {
  const Searched searched;
  const Nearest result = nearest(small_space(searched), {.time = Seconds(1)}, Bytes(1000), 2);
  EXPECT_FALSE(result.found);
  EXPECT_FALSE(result.meets);
  EXPECT_EQ(result.simulated, 0u);
}

} // namespace
} // namespace moesim::search
