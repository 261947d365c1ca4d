// Turns the amounts of a task graph into seconds and flows on a cluster.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "platforms/cluster.hpp"
#include "simulator/cost/communication.hpp"
#include "simulator/cost/kernel_times.hpp"
#include "simulator/execution/executor.hpp"
#include "simulator/graph/task_graph.hpp"

namespace moesim::cost {

// How what runs on a stream is communicated. An algorithm is used for the kinds that it is one for.
struct StreamOptions {
  Fidelity fidelity = Fidelity::Fluid;
  Algorithm algorithm = Algorithm::Auto;

  bool operator==(const StreamOptions&) const = default;
};
using NetworkOptions = std::array<StreamOptions, graph::stream_count>; // by Stream; of a transfer: the source's
[[nodiscard]] NetworkOptions same_for_all(Fidelity fidelity);
// What a stream communicates, as cost_table() asks for it.
[[nodiscard]] Call call_of(graph::Kind kind, graph::Stream stream, Bytes size, const graph::TokenRouting& routing,
                           const NetworkOptions& options, const graph::TokenTraffic& tokens = {});

// Rank r of the job runs on GPU r. `class_of_trunk` says which of the trunks above these GPUs (platforms::trunks_above)
// are alike, numbered in the order of their first ones. The links are those of the first rank of each class, and then
// the first trunk of each class. Requires the cluster to have a GPU for every rank.
[[nodiscard]] execution::Costs cost_table(const graph::TaskGraph& graph,
                                          const std::vector<std::uint32_t>& class_of_trunk,
                                          const platforms::Cluster& cluster, const NetworkOptions& options,
                                          const LaunchTimes& launch = {});

// The same with every trunk by itself.
[[nodiscard]] execution::Costs cost_table(const graph::TaskGraph& graph, const platforms::Cluster& cluster,
                                          const NetworkOptions& options = {}, const LaunchTimes& launch = {});

// Every trunk above the first `ranks` GPUs, by itself.
[[nodiscard]] std::vector<std::uint32_t> each_trunk(std::size_t ranks, const platforms::Cluster& cluster);

} // namespace moesim::cost
