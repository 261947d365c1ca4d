// A cluster: nodes of GPUs joined by NVLink, each GPU with a NIC into the fabric, which may be wide enough for all of
// them or hang together by trunks that are not. Rank r of a job runs on GPU r.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "platforms/gpu.hpp"
#include "simulator/base/input_error.hpp"
#include "simulator/config/node.hpp"

namespace moesim::platforms {

// One direction of a GPU's port into a tier of the network.
struct Port {
  BytesPerSecond bandwidth; // per direction, as the vendor prints it
  double efficiency = 1;    // share of it that a collective's payload reaches
  Seconds latency;          // of one step between two ports of the tier, for small messages (NCCL's LL)
  Seconds simple_latency;   // the same for large ones (NCCL's Simple)

  [[nodiscard]] BytesPerSecond effective() const { return bandwidth * efficiency; }
};

// The four links of a GPU: each tier has an up link (egress) and a down link (ingress).
enum class LinkKind : std::uint8_t { NvlinkUp, NvlinkDown, NicUp, NicDown };
inline constexpr std::uint32_t links_per_gpu = 4;

// What is between the NICs: a core that is never full, which they reach directly, or as members of leaves. All that a
// leaf sends to other leaves leaves it through one trunk, which stands for its uplinks and is spread ideally over them;
// all that they send to it comes through another one. Leiserson's fat tree with two levels, IEEE Transactions on
// Computers C-34(10), 1985.
struct Fabric {
  std::int64_t nodes_per_leaf = 0; // consecutive nodes; 0: no leaves, any two NICs reach their bandwidth between them
  double oversubscription = 1;     // bandwidth of the NICs of a full leaf over that of its trunk

  bool operator==(const Fabric&) const = default;
};
enum class Trunk : std::uint8_t { Up, Down };
inline constexpr std::uint32_t trunks_per_leaf = 2;

// Something that is not as the catalogue says: a slow GPU, a degraded cable.
struct GpuOverride {
  std::uint32_t gpu = 0;
  double speed = 1; // factor on compute speed
};
struct LinkOverride {
  std::uint32_t link = 0;
  double bandwidth_factor = 1;
};

struct Cluster {
  std::string name;
  Gpu gpu;
  std::int64_t nodes = 1;
  std::int64_t gpus_per_node = 8;
  Port nvlink;
  Port nic;
  Fabric fabric;
  Seconds collective_latency;        // of starting and ending any communication, besides its steps
  Seconds simple_collective_latency; // the same for collectives of large messages
  double ring_exposed_steps = 0;     // of a ring's steps, how much nothing hides: it takes that much longer
  std::vector<GpuOverride> slow_gpus;
  std::vector<LinkOverride> degraded_links;

  [[nodiscard]] std::int64_t gpu_count() const { return nodes * gpus_per_node; }
  [[nodiscard]] std::int64_t node_of(std::uint32_t index) const { return index / gpus_per_node; }
  [[nodiscard]] bool has_leaves() const { return fabric.nodes_per_leaf > 0; }
  // The last leaf may have fewer nodes than the others.
  [[nodiscard]] std::int64_t leaf_count() const {
    return has_leaves() ? (nodes + fabric.nodes_per_leaf - 1) / fabric.nodes_per_leaf : 0;
  }
  // The leaf of a GPU; 0 for all of them where there are no leaves, as nothing is then between any two.
  [[nodiscard]] std::int64_t leaf_of(std::uint32_t index) const {
    return has_leaves() ? node_of(index) / fabric.nodes_per_leaf : 0;
  }
};

// Links are numbered gpu by gpu, in the order of LinkKind; after those of all GPUs come the trunks, leaf by leaf.
[[nodiscard]] constexpr std::uint32_t link_of(std::uint32_t gpu, LinkKind kind) {
  return gpu * links_per_gpu + static_cast<std::uint32_t>(kind);
}
[[nodiscard]] std::uint32_t trunk_of(const Cluster& cluster, std::int64_t leaf, Trunk trunk);
[[nodiscard]] std::uint32_t link_count(const Cluster& cluster);
// "node3.nvlink2.up", "node3.nic2.down", "leaf0.up": as `dump platform` prints and `overrides` name them.
[[nodiscard]] std::string link_name(const Cluster& cluster, std::uint32_t link);
// What a link carries at best, overrides included. A trunk carries what the NICs of a full leaf do, over the
// oversubscription; that of a last leaf with fewer nodes carries as much.
[[nodiscard]] BytesPerSecond link_bandwidth(const Cluster& cluster, std::uint32_t link);
// The same without overrides.
[[nodiscard]] BytesPerSecond whole_bandwidth(const Cluster& cluster, std::uint32_t link);
// Factor on the compute speed of a GPU, overrides included.
[[nodiscard]] double gpu_speed(const Cluster& cluster, std::uint32_t gpu);

// Reads the `platform` section of a scenario: a catalogue name, a path, or a map with `base` and what differs from it,
// or everything inline. Relative paths are relative to the file that names them. Problems are noted; the result is then
// not to be used.
[[nodiscard]] Cluster read_cluster(const config::Node& section, const std::string& path, Problems& problems);

// The cluster as YAML that read_cluster() reads back to the same value, every figure spelled out, indented by `indent`.
[[nodiscard]] std::string to_yaml(const Cluster& cluster, int indent);

// One line per GPU type, GPU, link and leaf, in the order of their numbers: what `moesim dump platform` prints.
[[nodiscard]] std::string describe(const Cluster& cluster);

} // namespace moesim::platforms
