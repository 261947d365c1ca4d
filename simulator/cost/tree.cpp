#include <algorithm>
#include <bit>
#include <iterator>

#include "simulator/cost/families.hpp"
#include "simulator/cost/protocol.hpp"

namespace moesim::cost {
namespace {

constexpr std::uint32_t no_parent = ~std::uint32_t{0};

// An in-order binary tree: odd nodes are leaves, and a node that 2^b divides (and no more) is b levels above them. The
// root is 0, with one child.
std::uint32_t parent_of(std::uint32_t node, std::uint32_t nodes) {
  if (node == 0)
    return no_parent;
  const std::uint32_t level = std::uint32_t{1} << std::countr_zero(node);
  const std::uint32_t above = (node - level) | (level << 1);
  return above < nodes ? above : node - level;
}

// The second tree is the first one mirrored, or shifted where the number of nodes is odd: who has children in one is a
// leaf in the other.
std::uint32_t in_second(std::uint32_t node, std::uint32_t nodes) {
  return nodes % 2 == 0 ? nodes - 1 - node : (node + 1) % nodes;
}

std::uint32_t levels(double nodes) {
  return static_cast<std::uint32_t>(std::bit_width(static_cast<std::uint32_t>(nodes) - 1));
}

// Inside a node a chain, up and down, whose ends differ from channel to channel.
SharesOf shares_of(const Call& call, double traffic) {
  return [size = call.size, traffic](double local) {
    return Shares{2 * (local - 1) / local * size, traffic / local * size};
  };
}

} // namespace

std::vector<std::uint32_t> tree_neighbours(std::uint32_t node, std::uint32_t nodes) {
  std::vector<std::uint32_t> neighbours;
  for (std::uint32_t child = 1; child < nodes; ++child) {
    const std::uint32_t parent = parent_of(child, nodes);
    if (child == node)
      neighbours.push_back(parent);
    if (parent == node)
      neighbours.push_back(child);
  }
  for (std::uint32_t child = 1; child < nodes; ++child) {
    const std::uint32_t own = in_second(child, nodes);
    const std::uint32_t parent = in_second(parent_of(child, nodes), nodes);
    if (own == node)
      neighbours.push_back(parent);
    if (parent == node)
      neighbours.push_back(own);
  }
  return neighbours;
}

double mean_tree_traffic(double nodes) {
  return 2 * (nodes - 1) / nodes; // two trees of nodes - 1 edges, each with half of the bytes at both of its ends
}

double most_tree_traffic(double nodes) {
  if (nodes < 4)
    return nodes / 2; // of two nodes each has both edges, of three one has three
  return 2;           // a node with a parent and two children in one tree is a leaf in the other
}

Flows tree_messages(Bytes size, const Group& group) {
  const NodeGroups& nodes = group.nodes();
  Flows flows;
  for (std::size_t at = 0; at < nodes.size(); ++at)
    for (const std::uint32_t other :
         tree_neighbours(static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(nodes.size()))) {
      const Bytes part = 0.5 / static_cast<double>(nodes[at].size()) * size;
      for (std::size_t index = 0; index < nodes[at].size(); ++index)
        flows.push_back(message(nodes[at][index], peer_in(nodes[other], index), part, group.cluster()));
    }
  return flows;
}

bool can_tree(const Call& /*call*/, const Group& group) {
  return group.spans_nodes();
}

Seconds tree_time(const Call& call, const Group& group) {
  const Steps steps{2 * (group.most_local() - 1), 2.0 * levels(group.node_count()), group.longest_hop()};
  Transfer sent = transfer(group, shares_of(call, most_tree_traffic(group.node_count())));
  sent.near = sent.near / group.in_node_efficiency();
  return fastest(tree_protocols(group.cluster()), steps, sent);
}

execution::Communication tree(const Call& call, const Group& group) {
  const Seconds time = tree_time(call, group);
  const SharesOf mean = shares_of(call, mean_tree_traffic(group.node_count()));
  if (call.fidelity != Fidelity::Flow)
    return in_steps(group, mean, time, 1, Detail::Members);
  const SharesOf inside = [&](double local) { return Shares{mean(local).near, Bytes()}; };
  Flows flows = messages_to_next(group, inside, 1);
  std::ranges::move(tree_messages(call.size, group), std::back_inserter(flows));
  const Transfer most = transfer(group, shares_of(call, most_tree_traffic(group.node_count())));
  return {.latency = time - most.longest(), .flows = std::move(flows)};
}

} // namespace moesim::cost
