#include <algorithm>

#include "simulator/cost/communication.hpp"
#include "simulator/cost/placement.hpp"

namespace moesim::cost {

using platforms::Path;

namespace {

bool share_a_node(std::uint32_t a, std::uint32_t b, const platforms::Cluster& cluster) {
  return cluster.node_of(a) == cluster.node_of(b);
}

// Of a message: its steps inside the node, before a NIC if any, and over NICs.
Seconds latency_of(std::uint32_t from, std::uint32_t to, const platforms::Cluster& cluster) {
  const Seconds in_node = cluster.node_port().latency;
  if (share_a_node(from, to, cluster))
    return cluster.collective_latency + in_node;
  const std::uint32_t relay = relay_of(cluster, from, to);
  return cluster.collective_latency + cluster.nic.latency + latency_between(cluster, relay, to) +
         (relay == from ? Seconds(0) : in_node);
}

// From the sender to where a message turns, and from there to the receiver. In a node it turns in the switch, or
// nowhere: a cable of a mesh is the sender's.
Path way_out(std::uint32_t from, std::uint32_t to, const platforms::Cluster& cluster) {
  if (share_a_node(from, to, cluster)) {
    const Path path = path_in_node(cluster, from, to);
    return {path.front()};
  }
  const std::uint32_t relay = relay_of(cluster, from, to);
  Path path = relay == from ? Path() : path_in_node(cluster, from, relay);
  const Path out = out_of_nic(cluster, relay, ascent_between(cluster, relay, to));
  path.insert(path.end(), out.begin(), out.end());
  return path;
}

Path way_in(std::uint32_t from, std::uint32_t to, const platforms::Cluster& cluster) {
  if (!share_a_node(from, to, cluster))
    return into_nic(cluster, to, ascent_to(from, to, cluster));
  const Path path = path_in_node(cluster, from, to);
  return path.size() > 1 ? Path{path.back()} : Path();
}

} // namespace

execution::Communication send_recv(Bytes size, RankId source, RankId destination, const platforms::Cluster& cluster) {
  const std::uint32_t from = source.value();
  const std::uint32_t to = destination.value();
  return {latency_of(from, to, cluster), {{joined(way_out(from, to, cluster), way_in(from, to, cluster)), size}}};
}

execution::Communication ring_exchange(Bytes size, std::span<const RankId> members, const platforms::Cluster& cluster) {
  execution::Communication result;
  for (std::size_t member = 0; member < members.size(); ++member) {
    const std::uint32_t self = members[member].value();
    const std::uint32_t next = members[(member + 1) % members.size()].value();
    const std::uint32_t previous = members[(member + members.size() - 1) % members.size()].value();
    const bool sends_inside = share_a_node(self, next, cluster);
    const Path out = way_out(self, next, cluster);
    const Path in = way_in(previous, self, cluster);
    result.latency = std::max(result.latency, latency_of(self, next, cluster));
    if (sends_inside == share_a_node(previous, self, cluster)) {
      result.flows.push_back({joined(out, in), size});
      continue;
    }
    for (const Path* path : {&out, &in})
      if (!path->empty())
        result.flows.push_back({joined(*path, {}), size});
  }
  return result;
}

} // namespace moesim::cost
