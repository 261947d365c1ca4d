#include "simulator/screen/communication_times.hpp"

#include <algorithm>
#include <bit>
#include <utility>

#include "platforms/links.hpp"
#include "simulator/cost/communication.hpp"
#include "simulator/screen/memo.hpp"

namespace moesim::screen {
CommunicationTimes::CommunicationTimes(const platforms::Cluster& cluster, const cost::NetworkOptions& options)
    : cluster_(cluster), options_(options), nodes_are_alike_(cluster.degraded_links.empty() && !cluster.has_leaves()) {}

CommunicationTimes::Group CommunicationTimes::group_of(std::vector<RankId> members) {
  if (nodes_are_alike_) {
    const auto node = static_cast<std::uint32_t>(cluster_.gpus_per_node);
    const std::uint32_t before = std::ranges::min_element(members)->value() / node * node;
    for (RankId& member : members)
      member = RankId(member.value() - before);
  }
  const auto [entry, is_new] = groups_.try_emplace(std::move(members), static_cast<Group>(members_.size()));
  if (is_new)
    members_.push_back(&entry->first);
  return entry->second;
}

Seconds CommunicationTimes::of(graph::Kind kind, graph::Stream stream, Bytes bytes, Group group,
                               const graph::TokenRouting& routing) {
  const std::vector<RankId>& members = *members_[group];
  // A pipeline of one stage passes nothing on: its rank is its own neighbour.
  if (members.size() < 2 || bytes == Bytes() || (kind == graph::Kind::SendRecv && members[0] == members[1]))
    return {};
  return kept(times_, {kind, stream, routing, group, bytes.value()}, [&] {
    return execution::idle_time(
        cost::communication(cost::call_of(kind, stream, bytes, routing, options_), members, cluster_),
        [&](std::uint32_t link) { return platforms::link_bandwidth(cluster_, link); });
  });
}

std::size_t CommunicationTimes::Hash::operator()(const Key& key) const {
  return hash_of({static_cast<std::uint64_t>(key.kind), static_cast<std::uint64_t>(key.stream),
                  static_cast<std::uint64_t>(key.routing.per_token), key.group,
                  std::bit_cast<std::uint64_t>(key.bytes)});
}

} // namespace moesim::screen
