// Whole runs on clusters with leaves, where SimGrid shares the trunks.
#include <algorithm>

#include <gtest/gtest.h>

#include "platforms/links.hpp"
#include "simulator/cost/cost_table.hpp"
#include "simulator/execution/simgrid_executor.hpp"
#include "tests/run/makespan.hpp"
#include "tests/run/test_scenario.hpp"

namespace moesim::run {
namespace {

using graph::Kind;
using platforms::Fabric;

scenario::Scenario with(const Fabric& fabric, scenario::Scenario scenario) {
  scenario.cluster.fabric = fabric;
  return scenario;
}

// 32 GPUs that hold a replica of the dense layers and an expert each: everything crosses between all nodes.
scenario::Scenario data_and_expert_parallel() {
  scenario::Scenario scenario = small_scenario();
  scenario.job().model.moe->num_experts = 32;
  scenario.job().sizes = {.ep = 32, .dp = 32};
  scenario.job().sequence_parallel = false;
  return scenario;
}

class LoneAllToAll : public testing::TestWithParam<std::tuple<std::int64_t, double>> {};

// In parts of size / n over a NIC: a member sends `inside` parts to the other nodes of its leaf and `outside` parts
// beyond. Its two flows share the NIC evenly, and the trunk gives each member 1/o of a NIC. From o = 2 on that is less
// than half of the NIC: the trunk is what counts. Below, the flow beyond gets its half until that inside has ended.
TEST_P(LoneAllToAll, TakesAsLongAsItsTrunks) {
  const auto& [nodes_per_leaf, oversubscription] = GetParam();
  scenario::Scenario scenario = with({nodes_per_leaf, oversubscription}, small_scenario());
  graph::TaskGraph::Parts parts;
  parts.rank_count = 32;
  parts.names = {"dispatch"};
  parts.works.resize(1);
  parts.works[0].bytes = Bytes(32e9);
  parts.groups.emplace_back();
  for (std::uint32_t rank = 0; rank < 32; ++rank)
    parts.groups[0].emplace_back(rank);
  graph::Task task;
  task.kind = Kind::AllToAll;
  task.stream = graph::Stream::Ep;
  parts.tasks.push_back(task);
  const graph::TaskGraph graph(std::move(parts));
  const execution::Costs costs = cost::cost_table(graph, scenario.cluster);

  class Ignore : public execution::RunSink {
    void task_ran(TaskId, Seconds, Seconds) override {}
    void flow_ran(const execution::Flow&, Seconds, Seconds) override {}
  } sink;
  execution::SimGridExecutor executor;
  const Seconds transfer = executor.run(graph, costs, sink, {}) - costs.communications.at(0).latency;
  const double part = 1e9 / scenario.cluster.nic.effective().value();
  const auto outside = static_cast<double>(32 - 8 * nodes_per_leaf);
  const auto inside = static_cast<double>(8 * nodes_per_leaf - 8);
  const double parts_long =
      oversubscription >= 2 ? oversubscription * outside : 2 * inside + oversubscription * (outside - inside);
  EXPECT_NEAR(transfer.value() / (parts_long * part), 1, 1e-9);
}

INSTANTIATE_TEST_SUITE_P(Fabric, LoneAllToAll,
                         testing::Combine(testing::Values(1, 2), testing::Values(1.0, 1.5, 2.0, 5.0)));

// Every all-to-all and every ring goes over all nodes, one after the other, so the run is longer by the sum of what
// each is. Of an all-to-all, each member sends 24 of 32 parts over its NIC, of which all or 16 go to other leaves; a
// ring fills a trunk from one node only.
TEST(Fabric, ARunTakesAsMuchLongerAsItsTrunksTake) {
  const scenario::Scenario flat = data_and_expert_parallel();
  const double without = ideal_time(flat).value();
  const graph::TaskGraph graph = task_graph(flat);
  const double nic = flat.cluster.nic.effective().value();
  for (const Fabric& fabric : {Fabric{1, 3}, Fabric{2, 3}, Fabric{2, 8}}) {
    double longer = 0;
    for (const graph::Task& task : graph.tasks()) {
      const double size = graph.work(task).bytes.value();
      if (task.kind == Kind::AllToAll) {
        const double beyond = fabric.nodes_per_leaf == 1 ? 24 : 16;
        longer += std::max(0.0, fabric.oversubscription * beyond - 24) / 32 * size / nic;
      } else if (task.kind != Kind::Compute) {
        ASSERT_EQ(graph.members(task).size(), 32u);
        const double rounds = task.kind == Kind::AllReduce ? 2 : 1;
        longer += std::max(0.0, fabric.oversubscription / static_cast<double>(fabric.nodes_per_leaf) - 1) * rounds *
                  31 / 32 * size / 8 / nic;
      }
    }
    EXPECT_GT(longer, 0.1 * without);
    EXPECT_NEAR(simulated_time(with(fabric, flat)).value(), without + longer, 1e-9 * without);
  }
}

// A trunk as wide as the NICs of its leaf is never full. (Where an all-to-all meets another communication on a NIC, its
// two flows get two shares of it; here none does.)
TEST(Fabric, ATrunkWithoutOversubscriptionChangesNothing) {
  std::vector<scenario::Scenario> variants(4, small_scenario());
  variants[1] = data_and_expert_parallel();
  variants[2].training_job().training.overlap = {.grad_reduce = true, .param_gather = true, .pp = true};
  variants[3].training_job().training.overlap = {.pp = true};
  variants[3].cluster.degraded_links = {
      {.link = platforms::link_of(variants[3].cluster, 9, platforms::LinkKind::NicUp), .bandwidth_factor = 0.3}};
  for (std::size_t at = 0; at < variants.size(); ++at)
    for (const std::int64_t nodes_per_leaf : {1, 2, 3, 4}) {
      const Seconds without = simulated_time(variants[at]);
      EXPECT_NEAR(simulated_time(with({nodes_per_leaf, 1}, variants[at])) / without, 1, 1e-9)
          << at << " " << nodes_per_leaf;
    }
}

} // namespace
} // namespace moesim::run
