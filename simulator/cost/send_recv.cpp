#include <algorithm>

#include "simulator/cost/communication.hpp"
#include "simulator/cost/placement.hpp"

namespace moesim::cost {

execution::Communication send_recv(Bytes size, RankId source, RankId destination, const platforms::Cluster& cluster) {
  const std::uint32_t from = source.value();
  const std::uint32_t to = destination.value();
  const bool inside_node = cluster.node_of(from) == cluster.node_of(to);
  execution::Communication result;
  result.latency = cluster.collective_latency + (inside_node ? cluster.nvlink : cluster.nic).latency;
  result.flows.push_back(inside_node ? over_nvlink(from, to, size) : over_nics(from, to, size));
  return result;
}

execution::Communication ring_exchange(Bytes size, std::span<const RankId> members, const platforms::Cluster& cluster) {
  execution::Communication result;
  for (std::size_t member = 0; member < members.size(); ++member) {
    const execution::Communication hop =
        send_recv(size, members[member], members[(member + 1) % members.size()], cluster);
    result.latency = std::max(result.latency, hop.latency);
    result.flows.insert(result.flows.end(), hop.flows.begin(), hop.flows.end());
  }
  return result;
}

} // namespace moesim::cost
