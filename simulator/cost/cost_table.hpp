// Turns the amounts of a task graph into seconds and flows on a cluster.
#pragma once

#include "platforms/cluster.hpp"
#include "simulator/execution/executor.hpp"
#include "simulator/graph/task_graph.hpp"

namespace moesim::cost {

// Rank r runs on GPU r. The links are those of these GPUs and then the trunks of their leaves. Requires the cluster to
// have a GPU for every rank.
[[nodiscard]] execution::Costs cost_table(const graph::TaskGraph& graph, const platforms::Cluster& cluster);

} // namespace moesim::cost
