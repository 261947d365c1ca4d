// A cluster: nodes of GPUs joined by NVLink, each GPU with a NIC into the fabric. Rank r of a job runs on GPU r.
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
  Port nic;                          // non-blocking core: any two NICs reach their bandwidth between them
  Seconds collective_latency;        // of starting and ending any communication, besides its steps
  Seconds simple_collective_latency; // the same for collectives of large messages
  double ring_exposed_steps = 0;     // of a ring's steps, how much nothing hides: it takes that much longer
  std::vector<GpuOverride> slow_gpus;
  std::vector<LinkOverride> degraded_links;

  [[nodiscard]] std::int64_t gpu_count() const { return nodes * gpus_per_node; }
  [[nodiscard]] std::int64_t node_of(std::uint32_t index) const { return index / gpus_per_node; }
};

// Links are numbered gpu by gpu, in the order of LinkKind.
[[nodiscard]] constexpr std::uint32_t link_of(std::uint32_t gpu, LinkKind kind) {
  return gpu * links_per_gpu + static_cast<std::uint32_t>(kind);
}
// "node3.gpu2.nvlink-up", "node3.nic2.down": as `dump platform` prints and `overrides` name them.
[[nodiscard]] std::string link_name(const Cluster& cluster, std::uint32_t link);
// What a link carries at best, overrides included.
[[nodiscard]] BytesPerSecond link_bandwidth(const Cluster& cluster, std::uint32_t link);
// Factor on the compute speed of a GPU, overrides included.
[[nodiscard]] double gpu_speed(const Cluster& cluster, std::uint32_t gpu);

// Reads the `platform` section of a scenario: a catalogue name, a path, or a map with `base` and what differs from it,
// or everything inline. Relative paths are relative to the file that names them. Problems are noted; the result is then
// not to be used.
[[nodiscard]] Cluster read_cluster(const config::Node& section, const std::string& path, Problems& problems);

// The cluster as YAML that read_cluster() reads back to the same value, every figure spelled out, indented by `indent`.
[[nodiscard]] std::string to_yaml(const Cluster& cluster, int indent);

// One sorted line per GPU type, node, link and override: what `moesim dump platform` prints.
[[nodiscard]] std::string describe(const Cluster& cluster);

} // namespace moesim::platforms
