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
  BytesPerSecond all = static_cast<double>(cluster.gpu_count()) * nic_bandwidth(cluster);
  for (const Tier tier : {Tier::Leaf, Tier::Pod})
    if (const std::int64_t sites = site_count(cluster, tier); sites > 1)
      all = std::min(all, static_cast<double>(sites * uplinks_of(cluster, tier)) *
                              whole_bandwidth(cluster, trunk_of(cluster, tier, 0, Trunk::Up)));
  return all / 2;
}

} // namespace moesim::platforms
