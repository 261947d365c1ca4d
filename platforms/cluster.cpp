#include "platforms/cluster.hpp"

#include <algorithm>

#include "platforms/links.hpp"

namespace moesim::platforms {

double gpu_speed(const Cluster& cluster, std::uint32_t gpu) {
  double speed = 1;
  for (const GpuOverride& slow : cluster.slow_gpus)
    if (slow.gpu == gpu)
      speed *= slow.speed;
  return speed;
}

BytesPerSecond node_bandwidth(const Cluster& cluster, std::int64_t members) {
  const BytesPerSecond port = cluster.node_port().effective();
  if (cluster.node_network != NodeNetwork::Mesh)
    return port;
  return port * (static_cast<double>(members - 1) / static_cast<double>(cluster.gpus_per_node - 1));
}

BytesPerSecond nic_bandwidth(const Cluster& cluster) {
  const BytesPerSecond nics =
      cluster.nic.effective() * (static_cast<double>(cluster.node_nics()) / static_cast<double>(cluster.gpus_per_node));
  return cluster.pcie ? std::min(nics, cluster.pcie->effective()) : nics;
}

BytesPerSecond bisection_bandwidth(const Cluster& cluster) {
  const BytesPerSecond nic = nic_bandwidth(cluster);
  const BytesPerSecond nics = static_cast<double>(cluster.gpu_count()) * nic;
  BytesPerSecond leaves;
  std::vector<BytesPerSecond> pods(static_cast<std::size_t>(site_count(cluster, Tier::Pod)));
  for (std::int64_t leaf = 0; leaf < site_count(cluster, Tier::Leaf); ++leaf) {
    const std::int64_t first_node = leaf / cluster.leaves_per_node() * cluster.fabric.nodes_per_leaf;
    const std::int64_t nodes = std::min(cluster.fabric.nodes_per_leaf, cluster.nodes - first_node);
    const auto gpus = static_cast<double>(nodes * cluster.gpus_per_node / cluster.leaves_per_node());
    const BytesPerSecond sent = std::min(gpus * nic, trunk_bandwidth(cluster, Tier::Leaf));
    leaves += sent;
    if (!pods.empty())
      pods[static_cast<std::size_t>(leaf / cluster.fabric.leaves_per_pod)] += sent;
  }
  BytesPerSecond beyond_pods;
  for (const BytesPerSecond sent : pods)
    beyond_pods += std::min(sent, trunk_bandwidth(cluster, Tier::Pod));
  BytesPerSecond all = nics;
  if (site_count(cluster, Tier::Leaf) > 1)
    all = std::min(all, leaves);
  if (pods.size() > 1)
    all = std::min(all, beyond_pods);
  return all / 2;
}

} // namespace moesim::platforms
