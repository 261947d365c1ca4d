// A search finds what simulating everything finds.
#include "simulator/search/search.hpp"

#include <algorithm>
#include <cmath>
#include <random>

#include <gmock/gmock.h>

#include "simulator/pool/process_pool.hpp"
#include "tests/search/searched.hpp"

namespace moesim::search {
namespace {

const Progress silent = [](std::string_view, std::size_t, std::size_t) {};

std::vector<Measurement> measure_all(const Space& space, Bytes limit) {
  const std::vector<Candidate> all = candidates_of(space);
  std::vector<Measurement> measurements(all.size());
  pool::run_each(
      all.size(), [&](std::size_t at) { return measure(space.subject().file, space.assignments(all[at]), limit); },
      {.workers = 2},
      [&](std::size_t at, const pool::Outcome& outcome) {
        ASSERT_EQ(outcome.ending, pool::Ending::Done) << outcome.reason;
        measurements[at] = read_measurement(outcome.value);
      });
  return measurements;
}

// The candidates that fit, the best first.
std::vector<Candidate> ranked(const Space& space, const std::vector<Measurement>& measurements, Objective objective) {
  const std::vector<Candidate> all = candidates_of(space);
  std::vector<std::pair<std::int64_t, Candidate>> order;
  for (std::size_t at = 0; at < all.size(); ++at)
    if (measurements[at].fits)
      order.emplace_back(std::llround(score(objective, measurements[at].time, space.layout_of(all[at])) / 1e-12),
                         all[at]);
  std::ranges::sort(order);
  std::vector<Candidate> result;
  for (const auto& [time, candidate] : order)
    result.push_back(candidate);
  return result;
}

std::vector<Candidate> candidates_in(const Result& result) {
  std::vector<Candidate> found;
  for (const Found& each : result.ranking)
    found.push_back(each.candidate);
  return found;
}

std::size_t sum_of(const Counts& counts) {
  return counts.slow_layouts + counts.too_slow + counts.too_large + counts.refused + counts.failed + counts.simulated;
}

// One or two values of each axis.
std::vector<std::string> random_axes(std::mt19937_64& engine) {
  const auto some_of = [&](const std::string& name, std::vector<std::string> values, std::size_t count) {
    std::string text = name + "=";
    for (std::size_t at = 0; at < count; ++at) {
      const std::size_t chosen = engine() % values.size();
      text += (at > 0 ? "," : "") + values[chosen];
      values.erase(values.begin() + static_cast<std::ptrdiff_t>(chosen));
    }
    return text;
  };
  return {some_of("tp", {"1", "2", "4"}, 2),
          some_of("cp", {"1", "2"}, 1),
          some_of("pp", {"1", "2", "4"}, 2),
          some_of("ep", {"1", "2", "4"}, 2),
          some_of("etp", {"1", "2"}, 1),
          some_of("micro_batch_size", {"1", "2"}, 2),
          some_of("global_batch_size", {"8", "16", "32"}, 2),
          some_of("schedule", {"1f1b", "gpipe", "interleaved-1f1b", "zb-h1", "zb-v", "zb-auto", "dualpipe-v"}, 3),
          some_of("recompute", {"none", "full", "selective"}, 1),
          some_of("sharding", {"none", "zero-1", "zero-2", "zero-3"}, 2),
          some_of("overlap",
                  {"{}", "{pp: true}", "{grad_reduce: true, tp: true}", "{expert: chunked}", "{expert: true}"}, 2)};
}

TEST(Search, FindsWhatSimulatingEverythingFinds) {
  const Searched searched;
  std::size_t left_out = 0;
  for (std::uint64_t seed = 0; seed < 6; ++seed) {
    std::mt19937_64 engine(seed);
    const std::vector<std::string> axes = random_axes(engine);
    SCOPED_TRACE(::testing::PrintToString(axes));
    const Space space = searched.space(axes);
    const std::vector<Measurement> everything = measure_all(space, Bytes(1e15));
    // Half of them fit.
    std::vector<Bytes> memory;
    for (const Measurement& each : everything)
      memory.push_back(each.memory);
    std::ranges::sort(memory);
    const Bytes limit = memory.empty() ? Bytes(1e15) : memory[memory.size() / 2];
    std::vector<Measurement> limited = everything;
    for (Measurement& each : limited)
      each.fits = each.memory <= limit;
    for (const Objective objective : {Objective::Throughput, Objective::Latency}) {
      const Options options{objective, limit, 3, 2};
      const Result result = search(space, options, silent);
      std::vector<Candidate> expected = ranked(space, limited, objective);
      expected.resize(std::min<std::size_t>(expected.size(), options.top));
      EXPECT_EQ(candidates_in(result), expected);
      EXPECT_EQ(result.counts.candidates, everything.size());
      EXPECT_EQ(sum_of(result.counts), everything.size());
      left_out += result.counts.slow_layouts + result.counts.too_slow;
    }
  }
  EXPECT_GT(left_out, 500U);
}

TEST(Search, FindsTheSameOnAnyNumberOfProcesses) {
  const Searched searched;
  const Space space = searched.space({"cp=1", "etp=1", "recompute=none", "sharding=zero-1,zero-2"});
  const Result one = search(space, {Objective::Throughput, Bytes(1e15), 5, 1}, silent);
  const Result three = search(space, {Objective::Throughput, Bytes(1e15), 5, 3}, silent);
  EXPECT_EQ(candidates_in(one), candidates_in(three));
  EXPECT_EQ(one.counts.slow_layouts, three.counts.slow_layouts);
  EXPECT_EQ(one.counts.too_slow, three.counts.too_slow);
  EXPECT_EQ(one.counts.simulated, three.counts.simulated);
}

TEST(Search, EveryBoundIsBelowWhatItBounds) {
  const Searched searched;
  const Space space = searched.space({"cp=1,2", "micro_batch_size=1,2", "global_batch_size=16"});
  std::vector<std::uint32_t> layouts(space.layouts().size());
  for (std::uint32_t at = 0; at < layouts.size(); ++at)
    layouts[at] = at;
  const std::vector<double> of_layouts = layout_bounds(space, layouts, Objective::Latency);
  const Screened screened =
      screen_candidates(space, layouts, {Objective::Latency, Bytes(1e15), std::numeric_limits<double>::infinity()});
  EXPECT_EQ(screened.open.size(), space.candidate_count());
  for (const BoundedCandidate& each : screened.open)
    EXPECT_LE(of_layouts[each.candidate.layout], each.bound * (1 + 1e-9))
        << ::testing::PrintToString(space.assignments(each.candidate));
}

TEST(Search, FindsTheBestBatchOfInference) {
  const Searched searched(searched_inference);
  const Space space = searched.space({"batch_size=16,32"});
  const std::vector<Measurement> everything = measure_all(space, Bytes(1e15));
  for (const Objective objective : {Objective::Throughput, Objective::Latency}) {
    const Result result = search(space, {objective, Bytes(1e15), 1, 2}, silent);
    EXPECT_EQ(candidates_in(result).front(), ranked(space, everything, objective).front());
    EXPECT_EQ(space.layout_of(candidates_in(result).front()).batch_size, objective == Objective::Latency ? 16 : 32);
  }
}

TEST(Search, FindsNothingWhereNothingFits) {
  const Searched searched;
  const Space space = searched.space({"tp=2", "schedule=1f1b", "recompute=none"});
  const Result result = search(space, {Objective::Throughput, Bytes(1), 1, 2}, silent);
  EXPECT_TRUE(result.ranking.empty());
  EXPECT_EQ(result.counts.too_large, space.candidate_count());
}

} // namespace
} // namespace moesim::search
