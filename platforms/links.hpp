// The links of a cluster, each one direction of a cable, by number and by name.
//
// Links are numbered GPU by GPU: first those of each GPU itself (into the node, into the fabric, over PCIe), then the
// trunks, which several GPUs share: NICs with several GPUs, leaves, pods.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "platforms/cluster.hpp"

namespace moesim::platforms {

// The links of a GPU: each tier has an up link (egress) and a down link (ingress). A cluster has the kinds that its
// parts need. In a mesh a GPU has a cable to each other GPU of the node instead of an NVLink port.
enum class LinkKind : std::uint8_t { NvlinkUp, NvlinkDown, NicUp, NicDown, PcieUp, PcieDown };

[[nodiscard]] std::uint32_t links_per_gpu(const Cluster& cluster);
// Requires the cluster to have links of the kind.
[[nodiscard]] std::uint32_t link_of(const Cluster& cluster, std::uint32_t gpu, LinkKind kind);
// What `from` sends to `to` in a mesh. Requires two GPUs of one node.
[[nodiscard]] std::uint32_t cable_of(const Cluster& cluster, std::uint32_t from, std::uint32_t to);

// What GPUs hang below together, each with its trunks: a NIC that several share, a leaf switch, a pod of leaves.
enum class Tier : std::uint8_t { Nic, Leaf, Pod };
inline constexpr std::array tiers{Tier::Nic, Tier::Leaf, Tier::Pod};
enum class Trunk : std::uint8_t { Up, Down };
inline constexpr std::uint32_t links_per_trunk = 2;

// How many NICs, leaves or pods have trunks, and below which of them a GPU is, if any have.
[[nodiscard]] std::int64_t site_count(const Cluster& cluster, Tier tier);
[[nodiscard]] std::int64_t site_of(const Cluster& cluster, Tier tier, std::uint32_t gpu);
// Into how many uplinks routing divides the trunks of a tier; 1 where it does not.
[[nodiscard]] std::uint32_t uplinks_of(const Cluster& cluster, Tier tier);
[[nodiscard]] std::uint32_t trunk_of(const Cluster& cluster, Tier tier, std::int64_t site, Trunk trunk,
                                     std::uint32_t uplink = 0);
// Of a leaf whose uplinks share their load.
[[nodiscard]] std::uint32_t trunk_of(const Cluster& cluster, std::int64_t leaf, Trunk trunk);

// A trunk up and the one down that belongs to it are numbered as one, from 0 on; these are its two links.
[[nodiscard]] std::uint32_t trunk_number(const Cluster& cluster, std::uint32_t link);
[[nodiscard]] std::uint32_t link_of_trunk(const Cluster& cluster, std::uint32_t number, Trunk trunk);
[[nodiscard]] Tier tier_of_trunk(const Cluster& cluster, std::uint32_t number);
// Those that a job on the first `gpus` GPUs can reach, in ascending order: of the sites that these GPUs are below.
[[nodiscard]] std::vector<std::uint32_t> trunks_above(const Cluster& cluster, std::uint32_t gpus);

// The first link that is a trunk, which is how many links all GPUs have of their own.
[[nodiscard]] std::uint32_t first_trunk(const Cluster& cluster);
[[nodiscard]] std::uint32_t link_count(const Cluster& cluster);

// "node3.nvlink2.up", "node3.nvlink2.to5", "node3.nic2.down", "node3.pcie2.up", "leaf0.up", "pod1.uplink3.down": as
// `dump platform` prints and `overrides` name them.
[[nodiscard]] std::string link_name(const Cluster& cluster, std::uint32_t link);
// What the uplinks of a leaf, or of a pod, carry together, overrides aside.
[[nodiscard]] BytesPerSecond trunk_bandwidth(const Cluster& cluster, Tier tier);
// What a link carries at best, overrides included. A trunk carries what the NICs of a full leaf do (the trunks of a
// full pod of leaves), over the oversubscription; that of a last leaf with fewer nodes carries as much.
[[nodiscard]] BytesPerSecond link_bandwidth(const Cluster& cluster, std::uint32_t link);
// The same without overrides.
[[nodiscard]] BytesPerSecond whole_bandwidth(const Cluster& cluster, std::uint32_t link);

} // namespace moesim::platforms
