// A cluster: nodes of GPUs joined by NVLink or PCIe, with NICs into a fabric, which may be wide enough for all of them
// or hang together by trunks that are not. Rank r of a job runs on GPU r. links.hpp numbers and names the links of a
// cluster, routes.hpp says which of them a message crosses.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "platforms/gpu.hpp"
#include "platforms/protocols.hpp"
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

  bool operator==(const Port&) const = default;
};

// What joins the GPUs of a node: switches that let any two use their whole ports; a cable between each two, over which
// a port is spread evenly; or no NVLink at all.
enum class NodeNetwork : std::uint8_t { Switch, Mesh, Pcie };

// Whether a leaf switch takes all NICs of its nodes, or each rail (the NICs of one index in the node) has leaf switches
// of its own, which a spine joins or which stay apart: "rail-optimized" and "rail-only" (Wang et al., arXiv
// 2307.12169).
enum class Rails : std::uint8_t { None, Joined, Apart };

// How messages are spread over the uplinks of a switch: ideally, so that they share one trunk; by destination
// (D-mod-k: Zahavi, "D-Mod-K Routing Providing Non-Blocking Traffic for Shift Permutations on Real Life Fat Trees",
// 2010); or by a hash of source, destination and seed (ECMP), so that some collide.
enum class Routing : std::uint8_t { Adaptive, Static, Hashed };

// What is between the NICs: a core that is never full, which they reach directly, or as members of leaves, and the
// leaves as members of pods. All that a leaf sends to other leaves leaves it through its trunk, which stands for its
// uplinks; all that they send to it comes through another one; likewise between pods. Leiserson's fat tree, IEEE
// Transactions on Computers C-34(10), 1985.
struct Fabric {
  std::int64_t nodes_per_leaf = 0; // consecutive nodes; 0: no leaves, any two NICs reach their bandwidth between them
  double oversubscription = 1;     // bandwidth of the NICs of a full leaf over that of its trunk
  std::int64_t leaves_per_pod = 0; // consecutive leaves; 0: two levels, no pods
  double pod_oversubscription = 1; // bandwidth of the trunks of the leaves of a full pod over that of the pod's trunk
  Rails rails = Rails::None;       // apart: there are no trunks, and nodes_per_leaf is at least all nodes
  Routing routing = Routing::Adaptive;
  std::int64_t uplinks = 0;        // of a leaf, cables; 0: not said. Required where routing tells them apart
  std::int64_t pod_uplinks = 0;    // of a pod, likewise
  std::uint64_t seed = 1;          // of Routing::Hashed
  Seconds hop_latency{};           // of each switch on the way but the first
  bool sharp = false;              // switches reduce what passes through them
  std::int64_t switch_ports = 0;   // of any switch; 0: as many as it takes
  BytesPerSecond port_bandwidth{}; // of each of them, per direction; 0: that of a NIC

  bool operator==(const Fabric&) const = default;
};

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
  NodeNetwork node_network = NodeNetwork::Switch;
  Port nvlink; // nothing of it counts where nodes have PCIe only
  // PCIe (or C2C) of a GPU: what joins the GPUs of a node without NVLink, and in any node the hop between a GPU and its
  // NIC. None: the hop is as wide as the NIC and its latency is in the NIC's. Required by PCIe-only nodes, and by GPUs
  // that share a NIC.
  std::optional<Port> pcie;
  Port nic;
  std::int64_t nics_per_node = 0; // 0: one per GPU. A multiple of gpus_per_node, or a divisor of it
  Fabric fabric;
  Seconds collective_latency;        // of starting and ending any communication, besides its steps
  Seconds simple_collective_latency; // the same for collectives of large messages
  double ring_exposed_steps = 0;     // of a ring's steps, how much nothing hides: it takes that much longer
  Protocols protocols;               // how NCCL and DeepEP run here, besides these latencies
  std::vector<GpuOverride> slow_gpus;
  std::vector<LinkOverride> degraded_links;

  [[nodiscard]] std::int64_t gpu_count() const { return nodes * gpus_per_node; }
  [[nodiscard]] std::int64_t node_of(std::uint32_t index) const { return index / gpus_per_node; }
  // What the GPUs of a node reach each other by.
  [[nodiscard]] const Port& node_port() const { return node_network == NodeNetwork::Pcie ? *pcie : nvlink; }

  [[nodiscard]] std::int64_t node_nics() const { return nics_per_node > 0 ? nics_per_node : gpus_per_node; }
  [[nodiscard]] bool shares_nics() const { return node_nics() < gpus_per_node; }
  // The NICs of one GPU, or that one GPU has a part of, are of one rail.
  [[nodiscard]] std::int64_t rail_count() const { return shares_nics() ? node_nics() : gpus_per_node; }
  [[nodiscard]] std::int64_t rail_of(std::uint32_t index) const {
    return index % gpus_per_node * rail_count() / gpus_per_node;
  }

  [[nodiscard]] bool has_leaves() const { return fabric.nodes_per_leaf > 0; }
  [[nodiscard]] bool has_pods() const { return has_leaves() && fabric.leaves_per_pod > 0; }
  // The leaves that a node has NICs in.
  [[nodiscard]] std::int64_t leaves_per_node() const { return fabric.rails == Rails::None ? 1 : rail_count(); }
  // The last leaves may have fewer nodes than the others, and the last pod fewer leaves.
  [[nodiscard]] std::int64_t leaf_count() const {
    return has_leaves() ? (nodes + fabric.nodes_per_leaf - 1) / fabric.nodes_per_leaf * leaves_per_node() : 0;
  }
  [[nodiscard]] std::int64_t pod_count() const {
    return has_pods() ? (leaf_count() + fabric.leaves_per_pod - 1) / fabric.leaves_per_pod : 0;
  }
  // The leaf of a GPU, rail by rail where they have leaves of their own; 0 for all GPUs where there are no leaves, as
  // nothing is then between any two. Likewise its pod.
  [[nodiscard]] std::int64_t leaf_of(std::uint32_t index) const {
    if (!has_leaves())
      return 0;
    const std::int64_t of_node = node_of(index) / fabric.nodes_per_leaf;
    return fabric.rails == Rails::None ? of_node : of_node * rail_count() + rail_of(index);
  }
  [[nodiscard]] std::int64_t pod_of(std::uint32_t index) const {
    return has_pods() ? leaf_of(index) / fabric.leaves_per_pod : 0;
  }
};

// Factor on the compute speed of a GPU, overrides included.
[[nodiscard]] double gpu_speed(const Cluster& cluster, std::uint32_t gpu);

// What `members` GPUs of a node (at least two) send each other at best, each of them, overrides aside.
[[nodiscard]] BytesPerSecond node_bandwidth(const Cluster& cluster, std::int64_t members);
// What a GPU sends over its NICs at best while its neighbours do so, too, overrides aside.
[[nodiscard]] BytesPerSecond nic_bandwidth(const Cluster& cluster);
// What half of the GPUs send to the other half at best, overrides aside: half of what all GPUs send over their NICs,
// all leaves to other leaves, or all pods to other pods, whichever is least.
[[nodiscard]] BytesPerSecond bisection_bandwidth(const Cluster& cluster);

// Reads the `platform` section of a scenario: a catalogue name, a path, or a map with `base` and what differs from it,
// or everything inline. Relative paths are relative to the file that names them. Problems are noted; the result is then
// not to be used.
[[nodiscard]] Cluster read_cluster(const config::Node& section, const std::string& path, Problems& problems);

// The cluster as YAML that read_cluster() reads back to the same value, every figure spelled out, indented by `indent`.
[[nodiscard]] std::string to_yaml(const Cluster& cluster, int indent);

// One line per GPU type, GPU, link, leaf and pod, in the order of their numbers: what `moesim dump platform` prints.
[[nodiscard]] std::string describe(const Cluster& cluster);

} // namespace moesim::platforms
