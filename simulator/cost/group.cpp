#include "simulator/cost/group.hpp"

#include <iterator>
#include <map>
#include <ranges>
#include <utility>

namespace moesim::cost {

Group::Group(std::span<const RankId> members, const platforms::Cluster& cluster)
    : nodes_(by_node(members, cluster)), members_(static_cast<double>(members.size())), cluster_(&cluster) {
  const auto [fewest, most] = std::ranges::minmax_element(nodes_, {}, &std::vector<std::uint32_t>::size);
  fewest_local_ = static_cast<double>(fewest->size());
  most_local_ = static_cast<double>(most->size());
}

double Group::in_node_efficiency() const {
  double least = 1;
  for (const std::vector<std::uint32_t>& node : nodes_)
    least = std::min(least, cost::in_node_efficiency(node.front(), node.back(), *cluster_));
  return least;
}

Seconds Group::mean_hop() const {
  Seconds sum;
  for (std::size_t at = 0; spans_nodes() && at < nodes_.size(); ++at) {
    const std::uint32_t next = nodes_[(at + 1) % nodes_.size()].front();
    sum += latency_at(*cluster_, ascent_to(nodes_[at].front(), next, *cluster_).level);
  }
  return sum / node_count();
}

Seconds Group::longest_hop() const {
  if (!spans_nodes())
    return {};
  const std::uint32_t first = nodes_.front().front();
  std::uint8_t level = 0;
  for (const std::vector<std::uint32_t>& node : nodes_ | std::views::drop(1))
    for (const std::uint32_t gpu : node)
      if (reaches(*cluster_, first, gpu))
        level = std::max(level, level_between(*cluster_, first, gpu));
  return latency_at(*cluster_, level);
}

Transfer transfer(const Group& group, const SharesOf& shares) {
  Transfer longest;
  double last = 0; // most nodes have as many members as the one before
  for (const std::vector<std::uint32_t>& node : group.nodes()) {
    const auto local = static_cast<double>(node.size());
    if (local == std::exchange(last, local))
      continue;
    const Shares sent = shares(local);
    if (sent.near > Bytes())
      longest.near = std::max(longest.near, sent.near / node_bandwidth(group.cluster(), std::ssize(node)));
    longest.far = std::max(longest.far, sent.far / nic_bandwidth(group.cluster()));
  }
  return longest;
}

std::uint32_t peer_in(const std::vector<std::uint32_t>& node, std::size_t index) {
  return node[std::min(index, node.size() - 1)];
}

Flows member_flows(const Group& group, const SharesOf& shares) {
  const NodeGroups& nodes = group.nodes();
  const platforms::Cluster& cluster = group.cluster();
  Flows flows;
  for (std::size_t at = 0; at < nodes.size(); ++at) {
    const std::vector<std::uint32_t>& node = nodes[at];
    const std::vector<std::uint32_t>& next = nodes[(at + 1) % nodes.size()];
    const std::vector<std::uint32_t>& previous = nodes[(at + nodes.size() - 1) % nodes.size()];
    const Shares sent = shares(static_cast<double>(node.size()));
    for (std::size_t index = 0; index < node.size(); ++index) {
      if (sent.near > Bytes())
        add_in_node(node[index], node, sent.near, cluster, flows);
      if (sent.far > Bytes())
        flows.push_back(over_nic(node[index], ascent_to(node[index], peer_in(next, index), cluster),
                                 ascent_to(peer_in(previous, index), node[index], cluster), sent.far, cluster));
    }
  }
  return flows;
}

namespace {

using Ways = std::map<platforms::Ascent, double>; // nodes that each leads to

enum class Direction { To, From };

Ways ways_of(const Group& group, std::size_t at, std::size_t index, Direction direction) {
  const std::uint32_t gpu = group.nodes()[at][index];
  Ways ways;
  for (std::size_t other = 0; other < group.nodes().size(); ++other)
    if (other != at) {
      const std::uint32_t peer = peer_in(group.nodes()[other], index);
      ++ways[direction == Direction::To ? ascent_to(gpu, peer, group.cluster())
                                        : ascent_to(peer, gpu, group.cluster())];
    }
  return ways;
}

} // namespace

Flows rail_flows(const Group& group, const SharesOf& sent, const SharesOf& received) {
  const platforms::Cluster& cluster = group.cluster();
  const double others = group.node_count() - 1;
  Flows flows;
  for (std::size_t at = 0; at < group.nodes().size(); ++at) {
    const std::vector<std::uint32_t>& node = group.nodes()[at];
    const Shares out = sent(static_cast<double>(node.size()));
    const Shares in = received(static_cast<double>(node.size()));
    for (std::size_t index = 0; index < node.size(); ++index) {
      const std::uint32_t gpu = node[index];
      if (out.near > Bytes())
        add_in_node(gpu, node, out.near, cluster, flows);
      if (!group.spans_nodes())
        continue;
      const Ways to = ways_of(group, at, index, Direction::To);
      const Ways from = ways_of(group, at, index, Direction::From);
      if (to == from && out.far == in.far) {
        for (const auto& [way, nodes] : to)
          flows.push_back(over_nic(gpu, way, way, nodes / others * out.far, cluster));
        continue;
      }
      for (const auto& [way, nodes] : to)
        flows.push_back({joined(out_of_nic(cluster, gpu, way), {}), nodes / others * out.far});
      for (const auto& [way, nodes] : from)
        flows.push_back({joined(into_nic(cluster, gpu, way), {}), nodes / others * in.far});
    }
  }
  return flows;
}

Flows messages_to_next(const Group& group, const SharesOf& shares, double parts) {
  const NodeGroups& nodes = group.nodes();
  const platforms::Cluster& cluster = group.cluster();
  const bool is_mesh = cluster.node_network == platforms::NodeNetwork::Mesh;
  Flows flows;
  for (std::size_t at = 0; at < nodes.size(); ++at) {
    const std::vector<std::uint32_t>& node = nodes[at];
    const std::vector<std::uint32_t>& next = nodes[(at + 1) % nodes.size()];
    const Shares sent = shares(static_cast<double>(node.size()));
    for (std::size_t index = 0; index < node.size(); ++index) {
      if (sent.near > Bytes() && is_mesh)
        add_in_node(node[index], node, sent.near / parts, cluster, flows);
      else if (sent.near > Bytes())
        flows.push_back(message(node[index], node[(index + 1) % node.size()], sent.near / parts, cluster));
      if (sent.far > Bytes())
        flows.push_back(message(node[index], peer_in(next, index), sent.far / parts, cluster));
    }
  }
  return flows;
}

execution::Communication in_steps(const Group& group, const SharesOf& shares, Seconds time, double steps,
                                  Detail detail) {
  const Seconds latency = time - transfer(group, shares).longest();
  if (detail == Detail::Members)
    return {.latency = latency, .flows = member_flows(group, shares)};
  const Flows step = messages_to_next(group, shares, steps);
  execution::Communication result{.latency = latency / steps, .flows = step};
  if (steps > 1)
    result.then.push_back({latency / steps, step, static_cast<std::uint32_t>(steps) - 1});
  return result;
}

execution::Communication one_by_one(std::vector<execution::Communication> stages) {
  execution::Communication result = std::move(stages.front());
  for (execution::Communication& stage : stages | std::views::drop(1)) {
    result.then.push_back({stage.latency, std::move(stage.flows)});
    std::ranges::move(stage.then, std::back_inserter(result.then));
  }
  return result;
}

} // namespace moesim::cost
