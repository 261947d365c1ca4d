#include "analysis/topology_words.hpp"

#include <string_view>

#include <fmt/format.h>

#include "platforms/links.hpp"
#include "platforms/routes.hpp"
#include "simulator/base/format.hpp"

namespace moesim::analysis {
namespace {

using platforms::Cluster;
using platforms::NodeNetwork;
using platforms::Rails;
using platforms::Routing;
using platforms::Tier;

std::string counted(std::int64_t count, std::string_view one, std::string_view several) {
  return fmt::format("{} {}", count, count == 1 ? one : several);
}

TopologyLine node_words(const Cluster& cluster) {
  const std::string port = format_bandwidth(cluster.node_port().effective());
  switch (cluster.node_network) {
  case NodeNetwork::Mesh:
    return {"NVLink mesh", fmt::format("{} a GPU, {} to each of the {} others of its node", port,
                                       format_bandwidth(node_bandwidth(cluster, 2)), cluster.gpus_per_node - 1)};
  case NodeNetwork::Pcie:
    return {"PCIe",
            fmt::format("{} a GPU, for the {} GPUs of a node and for its NIC together", port, cluster.gpus_per_node)};
  case NodeNetwork::Switch:
    break;
  }
  return {"NVLink switches", fmt::format("{} a GPU, between any of the {} of a node", port, cluster.gpus_per_node)};
}

TopologyLine nic_words(const Cluster& cluster) {
  const std::string nic = format_bandwidth(cluster.nic.effective());
  const std::int64_t gpus = cluster.gpus_per_node;
  const std::int64_t nics = cluster.node_nics();
  if (cluster.shares_nics())
    return {"NIC",
            fmt::format("{}, shared by {} GPUs: {} each", nic, gpus / nics, format_bandwidth(nic_bandwidth(cluster)))};
  if (nics > gpus)
    return {"NIC", fmt::format("{}, {} a GPU: {} a GPU", nic, nics / gpus, format_bandwidth(nic_bandwidth(cluster)))};
  return {"NIC", fmt::format("{}, one a GPU", nic)};
}

std::string routing_words(const Cluster& cluster, Tier tier) {
  if (cluster.fabric.routing == Routing::Adaptive)
    return "shared ideally";
  return fmt::format("{} uplinks, chosen by {}", uplinks_of(cluster, tier),
                     cluster.fabric.routing == Routing::Static ? "destination" : "hash");
}

TopologyLine trunk_words(const Cluster& cluster, Tier tier) {
  const bool is_leaf = tier == Tier::Leaf;
  const BytesPerSecond trunk = trunk_bandwidth(cluster, tier);
  const double ratio = is_leaf ? cluster.fabric.oversubscription : cluster.fabric.pod_oversubscription;
  const std::string below = is_leaf ? counted(cluster.fabric.nodes_per_leaf, "node", "nodes")
                                    : counted(cluster.fabric.leaves_per_pod, "leaf", "leaves");
  const std::string rail = is_leaf && cluster.fabric.rails == Rails::Joined ? ", one rail" : "";
  return {is_leaf ? "leaf to spine" : "pod to core",
          fmt::format("{} for {}{}, oversubscribed {}:1, {}", format_bandwidth(trunk), below, rail, ratio,
                      routing_words(cluster, tier))};
}

TopologyLine hop_words(const Cluster& cluster) {
  if (!cluster.has_leaves())
    return {"switches on the way", "1 between any two nodes"};
  if (cluster.fabric.rails == Rails::Apart)
    return {"switches on the way", "1 on a rail; to another rail over the NVLink of the sender's node first"};
  const auto at = [&](std::uint8_t level) {
    return fmt::format("{} (+{})", platforms::switches_at(level), format_seconds(latency_at(cluster, level)));
  };
  const std::string near = cluster.fabric.rails == Rails::Joined ? "same rail and group of nodes" : "same leaf";
  std::string words = fmt::format("{} {}, other leaf {}", near, at(0), at(1));
  if (cluster.has_pods())
    words += fmt::format(", other pod {}", at(2));
  return {"switches on the way", words};
}

} // namespace

std::vector<TopologyLine> topology_words(const platforms::Cluster& cluster) {
  std::vector<TopologyLine> lines{node_words(cluster)};
  if (cluster.pcie && cluster.node_network != NodeNetwork::Pcie)
    lines.push_back({"PCIe hop", format_bandwidth(cluster.pcie->effective()) + " a GPU, to its NIC"});
  lines.push_back(nic_words(cluster));
  for (const Tier tier : {Tier::Leaf, Tier::Pod})
    if (site_count(cluster, tier) > 0)
      lines.push_back(trunk_words(cluster, tier));
  lines.push_back(hop_words(cluster));
  const BytesPerSecond bisection = bisection_bandwidth(cluster);
  lines.push_back(
      {"bisection", fmt::format("{}, {} for each GPU of a half", format_bandwidth(bisection),
                                format_bandwidth(bisection / (static_cast<double>(cluster.gpu_count()) / 2)))});
  if (cluster.fabric.sharp)
    lines.push_back({"SHARP", "switches reduce what passes through them"});
  return lines;
}

} // namespace moesim::analysis
