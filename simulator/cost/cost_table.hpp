// Turns the amounts of a task graph into seconds and flows on a cluster.
#pragma once

#include <cstdint>
#include <vector>

#include "platforms/cluster.hpp"
#include "simulator/execution/executor.hpp"
#include "simulator/graph/task_graph.hpp"

namespace moesim::cost {

// Rank r of the job runs on GPU r. `class_of_leaf` says which leaves of these GPUs are alike, numbered in the order of
// their first ones. The links are those of the first rank of each class, and then the trunks of the first leaf of each
// class. Requires the cluster to have a GPU for every rank.
[[nodiscard]] execution::Costs cost_table(const graph::TaskGraph& graph,
                                          const std::vector<std::uint32_t>& class_of_leaf,
                                          const platforms::Cluster& cluster);

// The same with every leaf by itself.
[[nodiscard]] execution::Costs cost_table(const graph::TaskGraph& graph, const platforms::Cluster& cluster);

// Every leaf that a job on the first `ranks` GPUs reaches, by itself.
[[nodiscard]] std::vector<std::uint32_t> each_leaf(std::size_t ranks, const platforms::Cluster& cluster);

} // namespace moesim::cost
