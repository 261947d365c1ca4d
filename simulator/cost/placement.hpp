// Which members of a group share a node, and what is between those that do not.
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

// Where the other end of a message between nodes is: in the leaf of a GPU, or beyond the trunks of its leaf.
enum class Leaf : std::uint8_t { Own, Other };
[[nodiscard]] Leaf leaf_between(std::uint32_t gpu, std::uint32_t other, const platforms::Cluster& cluster);

using Route = decltype(execution::Flow::route);

// What a message crosses on its way out of a GPU over its NIC, as far as that and its leaf's trunk go, and on its way
// in. What is between two trunks is never full.
[[nodiscard]] Route out_of_nic(std::uint32_t gpu, Leaf to, const platforms::Cluster& cluster);
[[nodiscard]] Route into_nic(std::uint32_t gpu, Leaf from, const platforms::Cluster& cluster);
[[nodiscard]] Route joined(Route first, const Route& second);

// What a message crosses on its way out of a GPU, and on its way in: over NVLink inside a node and from NIC to NIC
// otherwise.
[[nodiscard]] bool share_a_node(std::uint32_t a, std::uint32_t b, const platforms::Cluster& cluster);
[[nodiscard]] Route way_out(std::uint32_t from, std::uint32_t to, const platforms::Cluster& cluster);
[[nodiscard]] Route way_in(std::uint32_t from, std::uint32_t to, const platforms::Cluster& cluster);
// One message by itself.
[[nodiscard]] execution::Flow message(std::uint32_t from, std::uint32_t to, Bytes bytes,
                                      const platforms::Cluster& cluster);

// What a GPU sends to another, and what it receives from one, in one tier: a member of a collective does both at one
// pace. Its flow crosses its own links and the trunks of its own leaf only, so that what one member suffers reaches
// another through shared links and the end of the collective, not through the order of a ring.
[[nodiscard]] execution::Flow over_nvlink(std::uint32_t gpu, Bytes bytes);
[[nodiscard]] execution::Flow over_nic(std::uint32_t gpu, Leaf to, Leaf from, Bytes bytes,
                                       const platforms::Cluster& cluster);

} // namespace moesim::cost
