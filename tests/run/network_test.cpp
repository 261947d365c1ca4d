// Collectives by themselves and beside each other, as SimGrid runs them.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <numeric>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "platforms/links.hpp"
#include "platforms/routes.hpp"
#include "simulator/cost/all_to_all_v.hpp"
#include "simulator/cost/cost_table.hpp"
#include "simulator/execution/simgrid_executor.hpp"
#include "tests/run/test_scenario.hpp"

namespace moesim::run {
namespace {

using cost::Fidelity;
using graph::Kind;
using platforms::Cluster;

struct Collective {
  Kind kind = Kind::AllGather;
  double bytes = 0;
  std::vector<std::uint32_t> ranks;
};

// Each of them a task that waits for nothing, on the GPUs of a cluster.
graph::TaskGraph graph_of(const std::vector<Collective>& collectives, const Cluster& cluster) {
  graph::TaskGraph::Parts parts;
  parts.rank_count = static_cast<std::uint32_t>(cluster.gpu_count());
  parts.names = {"collective"};
  for (const Collective& collective : collectives) {
    graph::Task task;
    task.kind = collective.kind;
    task.stream = graph::Stream::Ep;
    task.place = static_cast<std::uint32_t>(parts.groups.size());
    task.work = task.place;
    parts.tasks.push_back(task);
    parts.works.emplace_back();
    parts.works.back().bytes = Bytes(collective.bytes);
    parts.works.back().routing = {.experts = 64, .per_token = 4, .token = Bytes(4096)};
    parts.groups.emplace_back(collective.ranks.begin(), collective.ranks.end());
  }
  return graph::TaskGraph(std::move(parts));
}

struct Outcome {
  std::vector<double> ends;              // of the tasks, seconds
  std::map<std::uint32_t, double> bytes; // over each link
};

class Sink : public execution::RunSink {
public:
  explicit Sink(std::size_t tasks, std::size_t links) : values(tasks + links, 0), tasks_(tasks) {}
  void task_ran(TaskId task, Seconds, Seconds end) override { values[task.value()] = end.value(); }
  void flow_ran(const execution::Flow& flow, Seconds, Seconds) override {
    for (const execution::Crossing& crossing : flow.route)
      values[tasks_ + crossing.link] += crossing.times * flow.bytes.value();
  }
  std::vector<double> values; // ends of tasks, then bytes of links

private:
  std::size_t tasks_;
};

// SimGrid allows one simulation per process.
Outcome simulated(const graph::TaskGraph& graph, const execution::Costs& costs) {
  const std::size_t tasks = graph.task_count();
  Sink sink(tasks, costs.links.size());
  int ends[2];
  EXPECT_EQ(pipe(ends), 0);
  const pid_t child = fork();
  if (child == 0) {
    execution::SimGridExecutor executor;
    executor.run(graph, costs, sink, {});
    FILE* out = fdopen(ends[1], "w");
    const bool written = std::fwrite(sink.values.data(), sizeof(double), sink.values.size(), out) == sink.values.size();
    _exit(std::fclose(out) == 0 && written ? 0 : 1);
  }
  close(ends[1]);
  FILE* in = fdopen(ends[0], "r");
  EXPECT_EQ(std::fread(sink.values.data(), sizeof(double), sink.values.size(), in), sink.values.size());
  std::fclose(in);
  int status = 1;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  Outcome outcome;
  outcome.ends.assign(sink.values.begin(), sink.values.begin() + static_cast<std::ptrdiff_t>(tasks));
  for (std::size_t link = 0; link < costs.links.size(); ++link)
    if (const double bytes = sink.values[tasks + link]; bytes > 0)
      outcome.bytes[static_cast<std::uint32_t>(link)] = bytes;
  return outcome;
}

Outcome simulated(const std::vector<Collective>& collectives, const Cluster& cluster, Fidelity fidelity) {
  const graph::TaskGraph graph = graph_of(collectives, cluster);
  return simulated(graph, cost::cost_table(graph, cluster, cost::same_for_all(fidelity)));
}

// Nodes of a full fat tree, `per_node` GPUs of each in the group.
std::vector<std::uint32_t> members(std::uint32_t nodes, std::uint32_t per_node) {
  std::vector<std::uint32_t> ranks;
  for (std::uint32_t node = 0; node < nodes; ++node)
    for (std::uint32_t gpu = 0; gpu < per_node; ++gpu)
      ranks.push_back(8 * node + gpu);
  return ranks;
}

Cluster fat_tree() {
  Cluster cluster = small_scenario().cluster;
  cluster.nodes = 8;
  cluster.gpus_per_node = 8;
  cluster.fabric = {.nodes_per_leaf = 2};
  return cluster;
}

class Fidelities : public ::testing::TestWithParam<Kind> {};

TEST_P(Fidelities, AgreeWhereNothingContends) {
  const Cluster cluster = fat_tree();
  for (const std::vector<std::uint32_t>& ranks :
       {members(1, 2), members(1, 8), members(8, 1), members(2, 4), members(4, 8), members(8, 8)})
    for (const double bytes : {1024.0, 65536.0, 1048576.0, 1073741824.0}) {
      const std::vector<Collective> one{{GetParam(), bytes, ranks}};
      const Outcome analytic = simulated(one, cluster, Fidelity::Analytic);
      const Outcome fluid = simulated(one, cluster, Fidelity::Fluid);
      const Outcome flow = simulated(one, cluster, Fidelity::Flow);
      EXPECT_NEAR(fluid.ends[0] / analytic.ends[0], 1, 0.01) << ranks.size() << " ranks, " << bytes;
      EXPECT_NEAR(flow.ends[0] / analytic.ends[0], 1, 0.01) << ranks.size() << " ranks, " << bytes;
    }
}

INSTANTIATE_TEST_SUITE_P(Network, Fidelities,
                         ::testing::Values(Kind::AllReduce, Kind::AllGather, Kind::ReduceScatter, Kind::Broadcast,
                                           Kind::AllToAll, Kind::RingExchange, Kind::Dispatch, Kind::Combine),
                         [](const auto& kind) {
                           std::string name(name_of(kind.param));
                           std::erase(name, '-');
                           return name;
                         });

// What SimGrid carries over each link is what the algorithm moves.
TEST(Network, LinksCarryWhatTheAlgorithmMoves) {
  const Cluster cluster = fat_tree();
  const std::vector<std::uint32_t> ranks = members(4, 4);
  for (const Kind kind : {Kind::AllReduce, Kind::AllToAll, Kind::Dispatch})
    for (const Fidelity fidelity : {Fidelity::Analytic, Fidelity::Fluid, Fidelity::Flow}) {
      const Outcome outcome = simulated({{kind, 16e6, ranks}}, cluster, fidelity);
      const cost::Call call{.kind = kind,
                            .size = Bytes(16e6),
                            .routing = {.experts = 64, .per_token = 4, .token = Bytes(4096)},
                            .fidelity = fidelity};
      std::map<std::uint32_t, double> expected;
      for_each_wave(communication(call, std::vector<RankId>(ranks.begin(), ranks.end()), cluster),
                    [&](Seconds, const std::vector<execution::Flow>& flows, std::uint32_t times) {
                      for (const execution::Flow& flow : flows)
                        for (const execution::Crossing& crossing : flow.route)
                          expected[crossing.link] += times * flow.bytes.value();
                    });
      ASSERT_EQ(outcome.bytes.size(), expected.size());
      for (const auto& [link, bytes] : expected)
        EXPECT_NEAR(outcome.bytes.at(link), bytes, 1e-6 * bytes) << link_name(cluster, link);
    }
}

// Nodes of one GPU, two to a leaf, with trunks as wide as one NIC: two exchanges between leaves have half of it each.
Cluster narrow() {
  Cluster cluster = small_scenario().cluster;
  cluster.nodes = 4;
  cluster.gpus_per_node = 1;
  cluster.fabric = {.nodes_per_leaf = 2, .oversubscription = 2};
  return cluster;
}

std::vector<std::uint32_t> members_of_nodes(std::uint32_t count) {
  std::vector<std::uint32_t> ranks(count);
  std::iota(ranks.begin(), ranks.end(), 0U);
  return ranks;
}

TEST(Network, TwoCollectivesShareATrunk) {
  const double bytes = 1e9;
  const double alone = bytes / 2 / narrow().nic.effective().value(); // half of what is gathered crosses, each way
  for (const Fidelity fidelity : {Fidelity::Fluid, Fidelity::Flow}) {
    const Outcome one = simulated({{Kind::AllGather, bytes, {0, 2}}}, narrow(), fidelity);
    const Outcome both =
        simulated({{Kind::AllGather, bytes, {0, 2}}, {Kind::AllGather, bytes, {1, 3}}}, narrow(), fidelity);
    EXPECT_NEAR(both.ends[0] - one.ends[0], alone, 1e-3 * alone) << name_of(fidelity);
    EXPECT_NEAR(both.ends[1] - one.ends[0], alone, 1e-3 * alone) << name_of(fidelity);
  }
}

// One NIC at a tenth of its speed: what crosses it takes as much longer, and nothing else does.
TEST(Network, AWeakCableSlowsWhatCrossesItOnly) {
  const double bytes = 1e9;
  const std::vector<Collective> pairs{{Kind::AllGather, bytes, {0, 2}}, {Kind::AllGather, bytes, {1, 3}}};
  Cluster weak = narrow();
  weak.fabric = {};
  for (const Fidelity fidelity : {Fidelity::Analytic, Fidelity::Fluid, Fidelity::Flow}) {
    weak.degraded_links.clear();
    const Outcome whole = simulated(pairs, weak, fidelity);
    weak.degraded_links = {{link_of(weak, 3, platforms::LinkKind::NicDown), 0.1}};
    const Outcome degraded = simulated(pairs, weak, fidelity);
    EXPECT_EQ(degraded.ends[0], whole.ends[0]) << name_of(fidelity);
    const double transfer = bytes / 2 / weak.nic.effective().value();
    EXPECT_NEAR(degraded.ends[1] - whole.ends[1], 9 * transfer, 1e-3 * transfer) << name_of(fidelity);
  }
}

// Everybody sends each other as much, but four times as much to one: it takes four times as long.
TEST(Network, AHotReceiverSetsThePace) {
  Cluster cluster = narrow();
  cluster.nodes = 16;
  cluster.fabric = {};
  const std::vector<Collective> one{{Kind::AllToAll, 16e6, members_of_nodes(16)}};
  const graph::TaskGraph graph = graph_of(one, cluster);
  for (const Fidelity fidelity : {Fidelity::Fluid, Fidelity::Flow}) {
    execution::Costs costs = cost::cost_table(graph, cluster, cost::same_for_all(fidelity));
    const auto transfer = [&](double to_one) {
      cost::Traffic traffic{std::vector<Bytes>(256, Bytes(1e6))};
      for (std::size_t from = 0; from < 16; ++from)
        traffic.bytes[from * 16 + 5] = Bytes(to_one);
      costs.communications.at(0) = all_to_all_v(traffic, fidelity, graph.ranks(graph.task(TaskId(0))), cluster);
      return simulated(graph, costs).ends[0] - costs.communications.at(0).latency.value();
    };
    EXPECT_NEAR(transfer(4e6) / transfer(1e6), 4, 1e-6) << name_of(fidelity);
  }
}

// Static routing spreads a shift over all uplinks; hashed routing puts some messages of it on one.
TEST(Network, HashedRoutesCollide) {
  Cluster cluster = small_scenario().cluster;
  cluster.nodes = 32;
  cluster.gpus_per_node = 1;
  cluster.fabric = {.nodes_per_leaf = 16, .routing = platforms::Routing::Static, .uplinks = 16};
  std::vector<Collective> shift;
  for (std::uint32_t from = 0; from < 16; ++from)
    shift.push_back({Kind::SendRecv, 1e9, {from, from + 16}});
  const auto slowest = [&](const Cluster& on) { return std::ranges::max(simulated(shift, on, Fidelity::Fluid).ends); };
  const double apart = slowest(cluster);
  cluster.fabric.routing = platforms::Routing::Hashed;
  std::vector<std::uint32_t> taken(16, 0);
  for (const Collective& message : shift)
    ++taken[ascent_between(cluster, message.ranks[0], message.ranks[1]).leaf_uplink];
  const double transfer = 1e9 / cluster.nic.effective().value();
  EXPECT_GE(std::ranges::max(taken), 2u); // 16 balls in 16 bins: all apart once in 10^6 seeds
  EXPECT_NEAR(slowest(cluster) - apart, (std::ranges::max(taken) - 1) * transfer, 1e-3 * transfer);
}

} // namespace
} // namespace moesim::run
