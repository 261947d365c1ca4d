// The laws that every run obeys, on a small job that uses every dimension.
#include "simulator/run/simulate.hpp"

#include <algorithm>
#include <map>
#include <numeric>

#include <gmock/gmock.h>

#include "platforms/links.hpp"
#include "simulator/base/input_error.hpp"
#include "simulator/cost/cost_table.hpp"
#include "simulator/execution/ideal_executor.hpp"
#include "simulator/execution/simgrid_executor.hpp"
#include "tests/run/test_scenario.hpp"
#include "workloads/stage_memory.hpp"

namespace moesim::run {
namespace {

class Times : public execution::RunSink {
public:
  explicit Times(const graph::TaskGraph& graph) : start(graph.task_count()), end(graph.task_count()) {}
  void task_ran(TaskId task, Seconds started, Seconds ended) override {
    start[task.value()] = started;
    end[task.value()] = ended;
    ++tasks;
  }
  void flow_ran(const execution::Flow& flow, Seconds, Seconds) override { bytes += flow.bytes; }

  std::vector<Seconds> start;
  std::vector<Seconds> end;
  std::size_t tasks = 0;
  Bytes bytes;
};

std::vector<scenario::Scenario> variants() {
  std::vector<scenario::Scenario> result(4, small_scenario());
  result[3].training_job().training.overlap = {.grad_reduce = true, .param_gather = true, .pp = true};
  result[3].job().queues[static_cast<std::size_t>(graph::Stream::Dp)] = graph::Stream::Tp;
  result[1].training_job().training.overlap = {.grad_reduce = true, .param_gather = true, .pp = true};
  result[2].cluster.slow_gpus = {{.gpu = 5, .speed = 0.7}};
  result[2].cluster.degraded_links = {
      {.link = platforms::link_of(result[2].cluster, 9, platforms::LinkKind::NicUp), .bandwidth_factor = 0.3}};
  return result;
}

TEST(Simulate, NoTaskStartsBeforeItsInputsAndNoStreamRunsTwo) {
  for (const scenario::Scenario& scenario : variants()) {
    const graph::TaskGraph graph = task_graph(scenario);
    const execution::Costs costs = cost::cost_table(graph, scenario.cluster);
    Times times(graph);
    execution::IdealExecutor executor;
    const Seconds makespan = executor.run(graph, costs, times, {});
    EXPECT_EQ(times.tasks, graph.task_count());
    std::map<std::pair<RankId, graph::Stream>, std::vector<std::pair<Seconds, Seconds>>> streams;
    for (std::uint32_t task = 0; task < graph.task_count(); ++task) {
      for (const std::uint32_t successor : graph.successors(TaskId(task)))
        EXPECT_GE(times.start[successor], times.end[task]);
      const auto members = graph.members(graph.task(TaskId(task)));
      for (std::size_t member = 0; member < members.size(); ++member) {
        const auto stream = static_cast<std::size_t>(stream_at(graph.task(TaskId(task)), member));
        streams[{members[member], scenario.job().queues[stream]}].emplace_back(times.start[task], times.end[task]);
      }
    }
    for (auto& [stream, spans] : streams) {
      std::ranges::sort(spans);
      for (std::size_t at = 1; at < spans.size(); ++at)
        EXPECT_GE(spans[at].first, spans[at - 1].second);
    }
    EXPECT_GE(makespan, graph::critical_path(graph, execution::idle_times(graph, costs)) * (1 - 1e-12));
  }
}

// Analytic runs know no contention, so SimGrid and the oracle agree; and so they do in fluid runs of this job, where no
// two communications of a rank meet on a link.
void expect_agreement(cost::Fidelity fidelity) {
  const scenario::Scenario scenario = small_scenario();
  const graph::TaskGraph graph = task_graph(scenario);
  const execution::Costs costs = cost::cost_table(graph, scenario.cluster, cost::same_for_all(fidelity));
  Times ideal(graph);
  Times simgrid(graph);
  execution::IdealExecutor oracle;
  execution::SimGridExecutor executor;
  const Seconds makespan = oracle.run(graph, costs, ideal, {});
  executor.run(graph, costs, simgrid, {});
  for (std::uint32_t task = 0; task < graph.task_count(); ++task) {
    ASSERT_NEAR(simgrid.start[task].value(), ideal.start[task].value(), 1e-9 * makespan.value()) << task;
    ASSERT_NEAR(simgrid.end[task].value(), ideal.end[task].value(), 1e-9 * makespan.value()) << task;
  }
  EXPECT_NEAR(simgrid.bytes / ideal.bytes, 1, 1e-12);
}

TEST(Simulate, AnalyticAgreesWithTheOracle) {
  expect_agreement(cost::Fidelity::Analytic);
}
TEST(Simulate, FluidAgreesWithTheOracleWhereNothingContends) {
  expect_agreement(cost::Fidelity::Fluid);
}

// Transfers that overlap with compute meet the experts' traffic on the NICs: sharing can only take longer.
TEST(Simulate, ContentionNeverMakesARunShorter) {
  scenario::Scenario scenario = small_scenario();
  scenario.training_job().training.overlap = {.grad_reduce = true, .param_gather = true, .pp = true};
  execution::IdealExecutor oracle;
  const double ideal = simulate(scenario, oracle, {}).figures.makespan;
  EXPECT_GE(simulate(scenario, {}).figures.makespan, ideal * (1 - 1e-9));
}

// 2,048 GPUs, too many for so many micro-batches unless they are folded.
scenario::Scenario large_scenario() {
  scenario::Scenario scenario = small_scenario();
  scenario.file = "job.yaml";
  scenario.symmetry = scenario::Symmetry::Auto;
  scenario.job().sizes = {.tp = 2, .pp = 4, .ep = 8, .dp = 256};
  scenario.cluster.nodes = 256;
  scenario.training_job().training.global_batch_size = 256 * 6144;
  return scenario;
}

// As they are all different, they cannot be folded.
TEST(Simulate, RefusesMoreTasksThanOneRunTakes) {
  scenario::Scenario scenario = large_scenario();
  for (std::uint32_t gpu = 0; gpu < 512; ++gpu)
    scenario.cluster.slow_gpus.push_back({gpu, 1 - 1e-4 * (gpu + 1)});
  execution::IdealExecutor oracle;
  try {
    (void)simulate(scenario, oracle, {});
    FAIL() << "it ran";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), ::testing::MatchesRegex(
                                  "job.yaml:1:1: simulation.symmetry: 2048 GPUs that do not behave alike make "
                                  "[0-9.e+]+ tasks, and one run takes at most 2e.08; use a smaller batch, or GPUs that "
                                  "differ less .moesim dump classes says by what.\n"));
  }
}

// The graph of all ranks is not folded.
TEST(Simulate, RefusesTheGraphOfMoreTasksThanOneRunTakes) {
  try {
    (void)task_graph(large_scenario());
    FAIL() << "it was made";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(),
                ::testing::MatchesRegex("job.yaml:1:1: parallel: 2048 GPUs make [0-9.e+]+ tasks, and the graph of all "
                                        "has at most 2e.08; use a smaller batch, or fewer GPUs\n"));
  }
}

TEST(Simulate, ASlowGpuSlowsTheJobAndOnlyByItsShare) {
  execution::IdealExecutor oracle;
  const double whole = simulate(small_scenario(), oracle, {}).figures.makespan;
  scenario::Scenario slow = small_scenario();
  slow.cluster.slow_gpus = {{.gpu = 5, .speed = 0.5}};
  const double slowed = simulate(slow, oracle, {}).figures.makespan;
  EXPECT_GT(slowed, whole);
  EXPECT_LE(slowed, 2 * whole);
}

TEST(Simulate, RecordsEveryTaskFlopAndByte) {
  const scenario::Scenario scenario = small_scenario();
  const graph::TaskGraph graph = task_graph(scenario);
  const record::RunRecord run = simulate(scenario, {});
  EXPECT_EQ(run.tasks.size(), graph.row_count());
  double flops = 0;
  double flow_bytes = 0;
  const execution::Costs costs = cost::cost_table(graph, scenario.cluster);
  for (std::uint32_t task = 0; task < graph.task_count(); ++task) {
    flops += graph.work(graph.task(TaskId(task))).flops.value();
    if (graph.task(TaskId(task)).kind != graph::Kind::Compute)
      for (const execution::Flow& flow : costs.communications[costs.of_task[task]].flows)
        flow_bytes += flow.bytes.value();
  }
  EXPECT_NEAR(std::accumulate(run.tasks.flops.begin(), run.tasks.flops.end(), 0.0) / flops, 1, 1e-12);
  // Each flow leaves through one link and arrives through another: bytes sent are bytes received.
  double up = 0;
  double down = 0;
  for (std::size_t link = 0; link < run.links.names.size(); ++link)
    for (std::size_t bin = 0; bin < run.links.bins; ++bin)
      (run.links.names[link].ends_with(".up") ? up : down) += run.links.bytes[link * run.links.bins + bin];
  EXPECT_NEAR(up / flow_bytes, 1, 1e-9);
  EXPECT_NEAR(down / flow_bytes, 1, 1e-9);
}

// Over the whole run no link carries more than it can. (In a slice of time it may seem to: a flow's bytes are spread
// evenly over its life, whatever its rate was.)
TEST(Simulate, LinksCarryNoMoreThanTheyCan) {
  scenario::Scenario scenario = small_scenario();
  scenario.training_job().training.overlap = {.grad_reduce = true, .param_gather = true, .pp = true};
  const record::RunRecord run = simulate(scenario, {});
  for (std::size_t link = 0; link < run.links.names.size(); ++link) {
    const auto first = run.links.bytes.begin() + static_cast<std::ptrdiff_t>(link * run.links.bins);
    EXPECT_LE(std::accumulate(first, first + static_cast<std::ptrdiff_t>(run.links.bins), 0.0),
              run.links.capacity[link] * run.figures.makespan * (1 + 1e-9));
  }
}

// What the timeline says about memory is what the static estimate says: activations come back to zero, and the fullest
// moment of each stage is the estimate's.
void expect_peak_at_estimate(const scenario::Scenario& scenario) {
  const record::RunRecord run = simulate(scenario, {});
  std::vector<double> peak(32, 0);
  std::vector<double> last(32, 0);
  for (std::size_t row = 0; row < run.memory.time.size(); ++row) {
    double sum = 0;
    for (const std::vector<double>& category : run.memory.bytes)
      sum += category[row];
    peak[run.memory.rank[row]] = std::max(peak[run.memory.rank[row]], sum);
    last[run.memory.rank[row]] = run.memory.bytes[static_cast<std::size_t>(graph::Memory::Activations)][row];
  }
  const std::vector<workloads::StageMemory> estimates = workloads::stage_memories(scenario.training_job());
  for (std::uint32_t rank = 0; rank < 32; ++rank) {
    EXPECT_EQ(last[rank], 0);
    EXPECT_NEAR(peak[rank] / estimates[run.ranks.pp[rank]].at_peak.total().value(), 1, 1e-12) << rank;
  }
}

class MemoryOfSchedule : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Simulate, MemoryOfSchedule, testing::Values("1f1b", "gpipe"));

TEST_P(MemoryOfSchedule, ReturnsAndPeaksAtTheEstimate) {
  scenario::Scenario scenario = small_scenario();
  scenario.training_job().training.schedule = GetParam();
  expect_peak_at_estimate(scenario);
}

TEST(Simulate, MemoryPeaksAtTheEstimateWithOverlapInALayer) {
  scenario::Scenario scenario = small_scenario();
  scenario.training_job().training.overlap = {.tp = true, .expert = workloads::ExpertOverlap::Chunked};
  expect_peak_at_estimate(scenario);
}

TEST(Simulate, MemoryPeaksAtTheEstimateWithRecomputation) {
  scenario::Scenario scenario = small_scenario();
  scenario.training_job().training.recompute.granularity = workloads::Recompute::Granularity::Full;
  expect_peak_at_estimate(scenario);
}

TEST(Simulate, ThroughputCountsEveryToken) {
  const record::RunRecord run = simulate(small_scenario(), {});
  const double width = run.throughput.time.front();
  double tokens = 0;
  for (const double rate : run.throughput.tokens_per_s)
    tokens += rate * width;
  EXPECT_NEAR(tokens / run.figures.tokens_per_iteration, 1, 1e-9);
}

TEST(Simulate, EveryTokenCopyIsComputed) {
  const record::RunRecord run = simulate(small_scenario(), {});
  EXPECT_EQ(run.figures.routed_tokens, 32.0 * 1024 * 2 * 8); // sequences x length x top-2 x layers
  EXPECT_EQ(run.figures.routed_tokens, run.figures.computed_tokens + run.figures.dropped_tokens);
}

} // namespace
} // namespace moesim::run
