// The members of a communication by node, and what each of them sends over the tiers of the network.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "simulator/cost/placement.hpp"

namespace moesim::cost {

class Group {
public:
  // `cluster` must outlive the group. Requires members.
  Group(std::span<const RankId> members, const platforms::Cluster& cluster);

  [[nodiscard]] const NodeGroups& nodes() const { return nodes_; }
  [[nodiscard]] double members() const { return members_; }
  [[nodiscard]] double node_count() const { return static_cast<double>(nodes_.size()); }
  [[nodiscard]] double most_local() const { return most_local_; } // members on the node that has most of them
  [[nodiscard]] bool spans_nodes() const { return nodes_.size() > 1; }
  // Whether each node has as many members, so that each rail joins one of each node.
  [[nodiscard]] bool is_even() const { return most_local_ == fewest_local_; }
  // What transfers inside the nodes reach, of what the protocols do: least where members are far apart.
  [[nodiscard]] double in_node_efficiency() const;
  [[nodiscard]] const platforms::Cluster& cluster() const { return *cluster_; }

  // What the switches and PCIe on the way add to a step between nodes: the mean over the ring of the nodes, and the
  // longest way.
  [[nodiscard]] Seconds mean_hop() const;
  [[nodiscard]] Seconds longest_hop() const;

private:
  NodeGroups nodes_;
  double members_;
  double most_local_;
  double fewest_local_;
  const platforms::Cluster* cluster_;
};

// What a member sends, and receives, inside its node and over its NICs.
struct Shares {
  Bytes near;
  Bytes far;
};
// Of each member of a node with that many members.
using SharesOf = std::function<Shares(double local)>;

// How long that takes over whole ports, for the member that takes longest.
struct Transfer {
  Seconds near;
  Seconds far;

  [[nodiscard]] Seconds longest() const { return std::max(near, far); }
};
[[nodiscard]] Transfer transfer(const Group& group, const SharesOf& shares);

using Flows = std::vector<execution::Flow>;

// A flow for each member and tier; between nodes with the member of the same index in the next and in the previous one.
[[nodiscard]] Flows member_flows(const Group& group, const SharesOf& shares);

// The same where each member exchanges with the one of its index in every other node, as much with each: a flow for
// each way that leads there, or, where they take different ways back, a flow out and one in.
[[nodiscard]] Flows rail_flows(const Group& group, const SharesOf& sent, const SharesOf& received);

// The member of a node that the one with this index in another node exchanges with.
[[nodiscard]] std::uint32_t peer_in(const std::vector<std::uint32_t>& node, std::size_t index);

// An n-th of it, `parts` being n, as messages: to the next member of the node (in a mesh to all of them, since as many
// rings go over its cables), and to the peer in the next node.
[[nodiscard]] Flows messages_to_next(const Group& group, const SharesOf& shares, double parts);

// What takes `time` on idle links and is done in `steps` that all look alike: one wave, or in Fidelity::Flow a wave for
// each step. Requires at least one step.
enum class Detail : std::uint8_t { Members, Steps };
[[nodiscard]] execution::Communication in_steps(const Group& group, const SharesOf& shares, Seconds time, double steps,
                                                Detail detail);

// One after the other. Requires at least one.
[[nodiscard]] execution::Communication one_by_one(std::vector<execution::Communication> stages);

} // namespace moesim::cost
