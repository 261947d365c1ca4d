// How fast the executors are: on the job that simgrid_floor runs, too (Chain, CPU time), and on one large collective
// with its cost table in each fidelity (AllToAll, AllReduce, wall time). SimGrid runs one simulation per process, so
// each iteration is a child process.
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <ctime>
#include <stdexcept>
#include <string>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "platforms/cluster.hpp"
#include "simulator/config/map_reader.hpp"
#include "simulator/cost/cost_table.hpp"
#include "simulator/execution/ideal_executor.hpp"
#include "simulator/execution/simgrid_executor.hpp"
#include "tests/benchmarks/chain_job.hpp"

namespace {

using namespace moesim;

class NoSink : public execution::RunSink {
public:
  void task_ran(TaskId, Seconds, Seconds) override {}
  void flow_ran(const execution::Flow&, Seconds, Seconds) override {}
};

struct Measured {
  double seconds = 0;
  double simulated = 0; // s
};

// What `body` measures, in a child process.
template <class Body>
Measured in_child(Body&& body) {
  int ends[2];
  if (pipe(ends) != 0)
    throw std::runtime_error("there is no pipe");
  const pid_t child = fork();
  if (child == 0) {
    const Measured measured = body();
    _exit(write(ends[1], &measured, sizeof measured) == sizeof measured ? 0 : 1);
  }
  close(ends[1]);
  Measured measured;
  const ssize_t count = read(ends[0], &measured, sizeof measured);
  close(ends[0]);
  waitpid(child, nullptr, 0);
  if (count != sizeof measured)
    throw std::runtime_error("a child process failed");
  return measured;
}

template <class Executor>
void run_chain(benchmark::State& state, Executor executor, execution::Sharing sharing) {
  const auto activities = static_cast<std::size_t>(state.range(1)) / 2;
  const ChainShape shape = ChainShape::of(static_cast<std::uint32_t>(state.range(0)), activities, activities);
  ChainJob job = chain_job(shape);
  for (execution::Communication& communication : job.costs.communications)
    communication.sharing = sharing;
  for ([[maybe_unused]] auto _ : state) {
    const Measured run = in_child([&] {
      NoSink sink;
      const std::clock_t begin = std::clock();
      const Seconds makespan = executor.run(job.graph, job.costs, sink, {});
      return Measured{static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC, makespan.value()};
    });
    state.SetIterationTime(run.seconds);
    state.counters["simulated"] = run.simulated;
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(shape.computes() + shape.flows()) * state.iterations());
}

// GPUs and activities, half of them kernels.
constexpr auto shapes = [](auto* chain) {
  chain->Args({512, 1'179'648})->Args({2048, 307'200})->UseManualTime()->Iterations(1)->Unit(benchmark::kSecond);
};

BENCHMARK_CAPTURE(run_chain, fluid, execution::SimGridExecutor(), execution::Sharing::Links)
    ->Name("Chain/fluid")
    ->Apply(shapes);
BENCHMARK_CAPTURE(run_chain, analytic, execution::SimGridExecutor(), execution::Sharing::None)
    ->Name("Chain/analytic")
    ->Apply(shapes);
BENCHMARK_CAPTURE(run_chain, ideal, execution::IdealExecutor(), execution::Sharing::None)
    ->Name("Chain/ideal")
    ->Apply(shapes);

platforms::Cluster cluster_of(const std::string& yaml) {
  Problems problems;
  platforms::Cluster cluster = platforms::read_cluster(config::parse(yaml, "benchmark"), "platform", problems);
  problems.throw_if_any();
  return cluster;
}

graph::TaskGraph one_collective(graph::Kind kind, std::uint32_t ranks, Bytes size) {
  graph::TaskGraph::Parts parts;
  parts.rank_count = ranks;
  parts.names = {"collective"};
  parts.works.resize(1);
  parts.works[0].bytes = size;
  parts.groups.resize(1);
  for (std::uint32_t rank = 0; rank < ranks; ++rank)
    parts.groups[0].emplace_back(rank);
  graph::Task task;
  task.kind = kind;
  task.stream = graph::Stream::Ep;
  parts.tasks = {task};
  return graph::TaskGraph(std::move(parts));
}

// How many flows run, all waves together.
std::size_t flow_count(const execution::Costs& costs) {
  std::size_t count = 0;
  for (const execution::Communication& communication : costs.communications)
    for_each_wave(communication, [&](Seconds, const std::vector<execution::Flow>& flows, std::uint32_t times) {
      count += flows.size() * times;
    });
  return count;
}

// One collective of 64 MiB a rank over all GPUs, costs included.
void run_collective(benchmark::State& state, graph::Kind kind, cost::Fidelity fidelity) {
  const auto gpus = static_cast<std::uint32_t>(state.range(0));
  const platforms::Cluster cluster = cluster_of(fmt::format("{{base: dgx-h100, nodes: {}}}", gpus / 8));
  const graph::TaskGraph graph = one_collective(kind, gpus, Bytes(64.0 * 1024 * 1024));
  const cost::NetworkOptions options = cost::same_for_all(fidelity);
  for ([[maybe_unused]] auto _ : state) {
    const Measured run = in_child([&] {
      const auto begin = std::chrono::steady_clock::now();
      execution::SimGridExecutor executor;
      NoSink sink;
      const Seconds makespan = executor.run(graph, cost::cost_table(graph, cluster, options), sink, {});
      const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - begin;
      return Measured{wall.count(), makespan.value()};
    });
    state.SetIterationTime(run.seconds);
    state.counters["simulated"] = run.simulated;
  }
  const auto flows = static_cast<std::int64_t>(flow_count(cost::cost_table(graph, cluster, options)));
  state.SetItemsProcessed(flows * state.iterations());
}

constexpr auto collective = [](auto* benchmark) {
  benchmark->Arg(512)->Arg(2048)->UseManualTime()->Iterations(1)->Unit(benchmark::kMillisecond);
};

BENCHMARK_CAPTURE(run_collective, a, graph::Kind::AllToAll, cost::Fidelity::Analytic)
    ->Name("AllToAll/analytic")
    ->Apply(collective);
BENCHMARK_CAPTURE(run_collective, b, graph::Kind::AllToAll, cost::Fidelity::Fluid)
    ->Name("AllToAll/fluid")
    ->Apply(collective);
BENCHMARK_CAPTURE(run_collective, c, graph::Kind::AllToAll, cost::Fidelity::Flow)
    ->Name("AllToAll/flow")
    ->Apply(collective);
BENCHMARK_CAPTURE(run_collective, d, graph::Kind::AllReduce, cost::Fidelity::Analytic)
    ->Name("AllReduce/analytic")
    ->Apply(collective);
BENCHMARK_CAPTURE(run_collective, e, graph::Kind::AllReduce, cost::Fidelity::Fluid)
    ->Name("AllReduce/fluid")
    ->Apply(collective);
BENCHMARK_CAPTURE(run_collective, f, graph::Kind::AllReduce, cost::Fidelity::Flow)
    ->Name("AllReduce/flow")
    ->Apply(collective);

} // namespace

BENCHMARK_MAIN();
