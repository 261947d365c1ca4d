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

// What a GPU sends to another, and what it receives from one, in one tier: a member of a collective does both at one
// pace. Its flow crosses its own links only, so that what one member suffers reaches another through shared links and
// the end of the collective, not through the order of a ring.
[[nodiscard]] execution::Flow over_nvlink(std::uint32_t gpu, Bytes bytes);
[[nodiscard]] execution::Flow over_nic(std::uint32_t gpu, Bytes bytes);

} // namespace moesim::cost
