#include "simulator/cost/all_to_all_v.hpp"

#include <algorithm>
#include <map>

#include "simulator/base/check.hpp"
#include "simulator/cost/families.hpp"
#include "simulator/cost/protocol.hpp"

namespace moesim::cost {
namespace {

using platforms::Ascent;

// What a member sends and receives on each side of the core of a tier.
struct Sides {
  Bytes sent, received;                         // inside its node
  std::map<Ascent, Bytes> sent_up, received_up; // over its NIC, by the way there
};

class Exchange {
public:
  Exchange(const Traffic& traffic, std::span<const RankId> members, const platforms::Cluster& cluster)
      : traffic_(traffic), members_(members), cluster_(cluster), sides_(members.size()) {
    MOESIM_CHECK(traffic.bytes.size() == members.size() * members.size(), "a row and a column for each member");
    visit_pairs([&](std::size_t from, std::size_t to, Bytes bytes) {
      if (share_a_node(gpu(from), gpu(to), cluster)) {
        sides_[from].sent += bytes;
        sides_[to].received += bytes;
      } else {
        const Ascent way = ascent_to(gpu(from), gpu(to), cluster);
        sides_[from].sent_up[way] += bytes;
        sides_[to].received_up[way] += bytes;
      }
    });
  }

  [[nodiscard]] bool is_empty() const {
    return std::ranges::all_of(traffic_.bytes, [](Bytes bytes) { return bytes == Bytes(); });
  }

  // How long the member that sends or receives the most takes over whole ports.
  [[nodiscard]] Transfer transfer(const Group& group) const {
    Transfer longest;
    for (const Sides& sides : sides_) {
      const Bytes near = std::max(sides.sent, sides.received);
      if (near > Bytes())
        longest.near =
            std::max(longest.near, near / node_bandwidth(cluster_, static_cast<std::int64_t>(group.most_local())));
      const Bytes far = std::max(sum_of(sides.sent_up), sum_of(sides.received_up));
      longest.far = std::max(longest.far, far / nic_bandwidth(cluster_));
    }
    return longest;
  }

  // Of each member a flow out and a flow in for each tier: they meet in its core, which is never full.
  [[nodiscard]] Flows by_side() const {
    Flows flows;
    for (std::size_t member = 0; member < members_.size(); ++member) {
      const Sides& sides = sides_[member];
      for (const auto& [way, bytes] : sides.sent_up)
        flows.push_back({joined(out_of_nic(cluster_, gpu(member), way), {}), bytes});
      for (const auto& [way, bytes] : sides.received_up)
        flows.push_back({joined(into_nic(cluster_, gpu(member), way), {}), bytes});
      if (cluster_.node_network == platforms::NodeNetwork::Mesh)
        continue;
      const std::uint32_t peer = gpu(member) % cluster_.gpus_per_node == 0 ? gpu(member) + 1 : gpu(member) - 1;
      if (sides.sent > Bytes())
        flows.push_back({{{path_in_node(cluster_, gpu(member), peer).front()}}, sides.sent});
      if (sides.received > Bytes())
        flows.push_back({{{path_in_node(cluster_, peer, gpu(member)).back()}}, sides.received});
    }
    if (cluster_.node_network == platforms::NodeNetwork::Mesh)
      visit_pairs([&](std::size_t from, std::size_t to, Bytes bytes) {
        if (share_a_node(gpu(from), gpu(to), cluster_))
          flows.push_back(message(gpu(from), gpu(to), bytes, cluster_));
      });
    return flows;
  }

  [[nodiscard]] Flows by_pair() const {
    Flows flows;
    visit_pairs([&](std::size_t from, std::size_t to, Bytes bytes) {
      flows.push_back(message(gpu(from), gpu(to), bytes, cluster_));
    });
    return flows;
  }

private:
  template <class Visit>
  void visit_pairs(Visit&& visit) const {
    for (std::size_t from = 0; from < members_.size(); ++from)
      for (std::size_t to = 0; to < members_.size(); ++to)
        if (const Bytes bytes = traffic_.from_to(from, to, members_.size()); from != to && bytes > Bytes())
          visit(from, to, bytes);
  }

  static Bytes sum_of(const std::map<Ascent, Bytes>& ways) {
    Bytes sum;
    for (const auto& [way, bytes] : ways)
      sum += bytes;
    return sum;
  }

  [[nodiscard]] std::uint32_t gpu(std::size_t member) const { return members_[member].value(); }

  const Traffic& traffic_;
  std::span<const RankId> members_;
  const platforms::Cluster& cluster_;
  std::vector<Sides> sides_;
};

} // namespace

execution::Communication all_to_all_v(const Traffic& traffic, Fidelity fidelity, std::span<const RankId> members,
                                      const platforms::Cluster& cluster) {
  const Exchange exchange(traffic, members, cluster);
  if (members.size() < 2 || exchange.is_empty())
    return {};
  const Group group(members, cluster);
  const Transfer sent = exchange.transfer(group);
  Transfer slowed = sent;
  slowed.near = slowed.near / cluster.protocols.all_to_all_efficiency;
  const Seconds time = fastest(send_protocols(cluster, group.spans_nodes()),
                               {group.members() - 1, group.spans_nodes() ? 1.0 : 0.0, group.longest_hop()}, slowed);
  // Pairs on rails that stay apart are passed on by others, which makes each its own case.
  const bool is_relayed = group.spans_nodes() && cluster.fabric.rails == platforms::Rails::Apart;
  return {.latency = time - sent.longest(),
          .flows = fidelity == Fidelity::Flow || is_relayed ? exchange.by_pair() : exchange.by_side(),
          .sharing = fidelity == Fidelity::Analytic ? execution::Sharing::None : execution::Sharing::Links};
}

} // namespace moesim::cost
