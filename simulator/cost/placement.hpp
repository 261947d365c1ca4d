// Which members of a group share a node.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "platforms/cluster.hpp"
#include "simulator/base/ids.hpp"
#include "simulator/execution/executor.hpp"

namespace moesim::cost {

// The members of a group, node by node, in ascending order.
using NodeGroups = std::vector<std::vector<std::uint32_t>>;
[[nodiscard]] NodeGroups by_node(std::span<const RankId> members, const platforms::Cluster& cluster);

// The NVLink and the NIC links between two GPUs.
[[nodiscard]] execution::Flow over_nvlink(std::uint32_t from, std::uint32_t to, Bytes bytes);
[[nodiscard]] execution::Flow over_nics(std::uint32_t from, std::uint32_t to, Bytes bytes);

// The GPU that the member at `index` of node `node` reaches across the fabric: the same index in the next node,
// wrapping around where that node has fewer members.
[[nodiscard]] std::uint32_t rail_partner(const NodeGroups& nodes, std::size_t node, std::size_t index);

} // namespace moesim::cost
