#include <algorithm>
#include <map>

#include "platforms/links.hpp"
#include "simulator/cost/families.hpp"

namespace moesim::cost {
namespace {

// What the GPUs of one node send on behalf of all its members.
struct NodeTraffic {
  std::map<std::uint32_t, Bytes> over_nic;                            // by the GPU whose NIC it is
  std::map<std::pair<std::uint32_t, std::uint32_t>, Bytes> passed_on; // from a member to the GPU that relays
};

// How many members are at each place in their nodes.
std::map<std::uint32_t, double> count_by_place(const NodeGroups& nodes, std::uint32_t gpus_per_node) {
  std::map<std::uint32_t, double> places;
  for (const std::vector<std::uint32_t>& node : nodes)
    for (const std::uint32_t gpu : node)
      ++places[gpu % gpus_per_node];
  return places;
}

NodeTraffic traffic_of(const std::vector<std::uint32_t>& node, std::map<std::uint32_t, double> beyond, Bytes part,
                       const platforms::Cluster& cluster) {
  const auto gpus = static_cast<std::uint32_t>(cluster.gpus_per_node);
  for (const std::uint32_t gpu : node)
    --beyond[gpu % gpus];
  NodeTraffic traffic;
  for (const std::uint32_t gpu : node)
    for (const auto& [place, peers] : beyond) {
      if (peers == 0)
        continue;
      const std::uint32_t elsewhere = place + (cluster.node_of(gpu) == 0 ? gpus : 0);
      const std::uint32_t relay = relay_of(cluster, gpu, elsewhere);
      traffic.over_nic[relay] += peers * part;
      if (relay != gpu)
        traffic.passed_on[{gpu, relay}] += peers * part;
    }
  return traffic;
}

// Each end by itself: a relay need not take part otherwise, and takes on what others have.
void add_passed_on(const NodeTraffic& traffic, const platforms::Cluster& cluster, std::vector<execution::Flow>& flows) {
  std::map<std::uint32_t, Bytes> over_link;
  for (const auto& [ends, bytes] : traffic.passed_on)
    for (const std::uint32_t link : path_in_node(cluster, ends.first, ends.second))
      over_link[link] += bytes;
  for (const auto& [link, bytes] : over_link)
    flows.push_back({{{link}}, bytes});
}

} // namespace

Flows relayed_flows(Bytes part, const NodeGroups& nodes, const platforms::Cluster& cluster) {
  double count = 0;
  for (const std::vector<std::uint32_t>& node : nodes)
    count += static_cast<double>(node.size());
  const auto places = count_by_place(nodes, static_cast<std::uint32_t>(cluster.gpus_per_node));
  Flows flows;
  for (const std::vector<std::uint32_t>& node : nodes) {
    const auto local = static_cast<double>(node.size());
    const NodeTraffic traffic = traffic_of(node, places, part, cluster);
    for (const std::uint32_t gpu : node) {
      if (local > 1)
        add_in_node(gpu, node, (local - 1) * part, cluster, flows);
      flows.push_back({joined(into_nic(cluster, gpu, {}), {}), (count - local) * part});
    }
    for (const auto& [gpu, bytes] : traffic.over_nic)
      flows.push_back({joined(out_of_nic(cluster, gpu, {}), {}), bytes});
    add_passed_on(traffic, cluster, flows);
  }
  return flows;
}

} // namespace moesim::cost
