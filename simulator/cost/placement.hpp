// Which members of a group share a node, and the flows between those that do and those that do not.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "platforms/routes.hpp"
#include "simulator/base/ids.hpp"
#include "simulator/execution/executor.hpp"

namespace moesim::cost {

// The members of a group, node by node, in ascending order.
using NodeGroups = std::vector<std::vector<std::uint32_t>>;
[[nodiscard]] NodeGroups by_node(std::span<const RankId> members, const platforms::Cluster& cluster);

// How a message climbs from one node to another; between rails that stay apart it is passed on inside the sender's node
// first, and then climbs as from the GPU that passes it on.
[[nodiscard]] platforms::Ascent ascent_to(std::uint32_t gpu, std::uint32_t peer, const platforms::Cluster& cluster);

using Route = decltype(execution::Flow::route);
[[nodiscard]] Route joined(const platforms::Path& first, const platforms::Path& second);

// What a message crosses on its way out of a GPU to where it turns, and from there to the receiver. In a node it turns
// in the switch, or nowhere: a cable of a mesh is the sender's, and nothing is left of the way in.
[[nodiscard]] bool share_a_node(std::uint32_t a, std::uint32_t b, const platforms::Cluster& cluster);
[[nodiscard]] platforms::Path way_out(std::uint32_t from, std::uint32_t to, const platforms::Cluster& cluster);
[[nodiscard]] platforms::Path way_in(std::uint32_t from, std::uint32_t to, const platforms::Cluster& cluster);
// What transfers between these GPUs of a node, and those between them, reach, of what the protocols do elsewhere.
[[nodiscard]] double in_node_efficiency(std::uint32_t first, std::uint32_t last, const platforms::Cluster& cluster);
// One message by itself.
[[nodiscard]] execution::Flow message(std::uint32_t from, std::uint32_t to, Bytes bytes,
                                      const platforms::Cluster& cluster);

// What a GPU sends to others, and what it receives from others, in one tier: a member of a collective does both at one
// pace. Its flows cross its own links and the trunks above it only, so that what one member suffers reaches another
// through shared links and the end of the collective, not through the order of a ring.
//
// Inside a node: one flow, or in a mesh one to each of the other `local` members, `bytes` in all.
void add_in_node(std::uint32_t gpu, std::span<const std::uint32_t> local, Bytes bytes,
                 const platforms::Cluster& cluster, std::vector<execution::Flow>& flows);
// Between nodes; what leaves climbs as `to` says, what arrives has climbed as `from` says.
[[nodiscard]] execution::Flow over_nic(std::uint32_t gpu, platforms::Ascent to, platforms::Ascent from, Bytes bytes,
                                       const platforms::Cluster& cluster);

} // namespace moesim::cost
