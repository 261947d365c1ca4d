// Turns the amounts of a task graph into seconds and flows on a cluster.
#pragma once

#include <cstdint>
#include <vector>

#include "platforms/cluster.hpp"
#include "simulator/execution/executor.hpp"
#include "simulator/graph/task_graph.hpp"

namespace moesim::cost {

// Rank r of the job runs on GPU r. `class_of_trunk` says which of the trunks above these GPUs (platforms::trunks_above)
// are alike, numbered in the order of their first ones. The links are those of the first rank of each class, and then
// the first trunk of each class. Requires the cluster to have a GPU for every rank.
[[nodiscard]] execution::Costs cost_table(const graph::TaskGraph& graph,
                                          const std::vector<std::uint32_t>& class_of_trunk,
                                          const platforms::Cluster& cluster);

// The same with every trunk by itself.
[[nodiscard]] execution::Costs cost_table(const graph::TaskGraph& graph, const platforms::Cluster& cluster);

// Every trunk above the first `ranks` GPUs, by itself.
[[nodiscard]] std::vector<std::uint32_t> each_trunk(std::size_t ranks, const platforms::Cluster& cluster);

} // namespace moesim::cost
