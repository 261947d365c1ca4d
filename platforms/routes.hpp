// Which links a message crosses, and how long it takes on the way.
#pragma once

#include <cstdint>

#include <boost/container/static_vector.hpp>

#include "platforms/cluster.hpp"

namespace moesim::platforms {

// Links in the order in which a message crosses them: at most two in a node, or four out of a GPU (PCIe, NIC, leaf,
// pod) and four into another.
using Path = boost::container::static_vector<std::uint32_t, 8>;

// How far up the fabric a message climbs between two NICs, and by which uplinks.
struct Ascent {
  std::uint8_t level = 0;        // 0: a leaf switch joins the two, or a fabric without leaves; 1: a spine; 2: a core
  std::uint32_t leaf_uplink = 0; // from level 1 on; that of the sender's leaf, and where it comes down into the other
  std::uint32_t pod_uplink = 0;  // from level 2 on, likewise

  auto operator<=>(const Ascent&) const = default;
};

// Whether the fabric joins the NICs of two GPUs; between rails that stay apart it does not.
[[nodiscard]] bool reaches(const Cluster& cluster, std::uint32_t from, std::uint32_t to);
// The GPU that passes on what the fabric does not carry: the one of the sender's node with the place of the receiver in
// its own, whose NIC is of the same rail. The sender itself where that is so already.
[[nodiscard]] std::uint32_t relay_of(const Cluster& cluster, std::uint32_t from, std::uint32_t to);

// These require that the fabric joins the two.
[[nodiscard]] Ascent ascent_between(const Cluster& cluster, std::uint32_t from, std::uint32_t to);
[[nodiscard]] std::uint8_t level_between(const Cluster& cluster, std::uint32_t a, std::uint32_t b);

// How many switches a message passes through that climbs so far: 1, 3 or 5.
[[nodiscard]] std::int64_t switches_at(std::uint8_t level);
// What a message between NICs takes besides the NIC's own latency: its switches beyond the first, and the PCIe hop at
// both ends where it is beside NVLink (of a node that has PCIe only it is in the NIC's).
[[nodiscard]] Seconds latency_at(const Cluster& cluster, std::uint8_t level);
[[nodiscard]] Seconds latency_between(const Cluster& cluster, std::uint32_t from, std::uint32_t to);

// From a GPU up to where the message turns, and from there down to a GPU.
[[nodiscard]] Path out_of_nic(const Cluster& cluster, std::uint32_t gpu, Ascent ascent);
[[nodiscard]] Path into_nic(const Cluster& cluster, std::uint32_t gpu, Ascent ascent);

// Between two GPUs of one node.
[[nodiscard]] Path path_in_node(const Cluster& cluster, std::uint32_t from, std::uint32_t to);

} // namespace moesim::platforms
