#include "simulator/run/lone_collective.hpp"

#include <utility>

#include "simulator/base/check.hpp"
#include "simulator/cost/cost_table.hpp"
#include "simulator/execution/simgrid_executor.hpp"

namespace moesim::run {
namespace {

constexpr graph::Stream stream = graph::Stream::Tp; // any that communicates

std::vector<RankId> first_ranks(std::uint32_t count) {
  std::vector<RankId> ranks;
  for (std::uint32_t rank = 0; rank < count; ++rank)
    ranks.emplace_back(rank);
  return ranks;
}

// A task per size, each after the one before.
graph::TaskGraph one_after_the_other(const LoneCollective& collective) {
  graph::TaskGraph::Parts parts;
  parts.rank_count = collective.group;
  parts.groups = {first_ranks(collective.group)};
  parts.names = {std::string(name_of(collective.kind))};
  for (std::uint32_t at = 0; at < collective.sizes.size(); ++at) {
    graph::Work& work = parts.works.emplace_back();
    work.bytes = collective.sizes[at];
    work.routing = collective.routing;
    parts.tasks.push_back({.work = at, .kind = collective.kind, .stream = stream});
    if (at > 0)
      parts.edges.emplace_back(at - 1, at);
  }
  return graph::TaskGraph(std::move(parts));
}

// Keeps how long each task took.
class Durations : public execution::RunSink {
public:
  explicit Durations(std::size_t tasks) : of_task(tasks) {}
  void task_ran(TaskId task, Seconds start, Seconds end) override { of_task[task.value()] = end - start; }
  void flow_ran(const execution::Flow&, Seconds, Seconds) override {}

  std::vector<Seconds> of_task;
};

std::vector<Seconds> durations(const graph::TaskGraph& graph, const execution::Costs& costs, cost::Fidelity fidelity) {
  if (fidelity == cost::Fidelity::Analytic)
    return execution::idle_times(graph, costs);
  Durations sink(graph.task_count());
  execution::SimGridExecutor().run(graph, costs, sink);
  return std::move(sink.of_task);
}

} // namespace

std::vector<LoneTime> times_alone(const LoneCollective& collective, const platforms::Cluster& cluster) {
  MOESIM_CHECK(collective.group >= 2, "a collective has two ranks or more");
  cost::NetworkOptions options;
  options.fill({collective.fidelity, collective.algorithm});
  const graph::TaskGraph graph = one_after_the_other(collective);
  const std::vector<Seconds> times = durations(graph, cost::cost_table(graph, cluster, options), collective.fidelity);
  std::vector<LoneTime> result;
  for (const graph::Task& task : graph.tasks()) {
    const cost::Call call = cost::call_of(task.kind, stream, graph.work(task).bytes, graph.work(task).routing, options);
    result.push_back({times[task.work], cost::plan(call, graph.ranks(task), cluster).algorithm});
  }
  return result;
}

double bus_factor(graph::Kind kind, std::uint32_t group) {
  const double others = static_cast<double>(group - 1) / static_cast<double>(group);
  switch (kind) {
  case graph::Kind::AllReduce:
    return 2 * others;
  case graph::Kind::AllGather:
  case graph::Kind::ReduceScatter:
  case graph::Kind::AllToAll:
    return others;
  default:
    return 1; // broadcast and send-recv: what arrives
  }
}

} // namespace moesim::run
