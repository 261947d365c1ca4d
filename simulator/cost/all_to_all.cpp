#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

#include "simulator/cost/families.hpp"
#include "simulator/cost/protocol.hpp"

namespace moesim::cost {
namespace {

using platforms::Ascent;
using platforms::Routing;
using Peers = std::map<Ascent, double>; // how many members of other nodes are so far away

// Where the members of a group are, for each of them.
class Survey {
public:
  Survey(const NodeGroups& nodes, const platforms::Cluster& cluster) : nodes_(nodes), cluster_(cluster) {
    for (const std::vector<std::uint32_t>& node : nodes)
      for (const std::uint32_t gpu : node) {
        ++in_leaf_[cluster.leaf_of(gpu)];
        ++in_pod_[cluster.pod_of(gpu)];
        ++all_;
      }
  }

  // The members that `gpu` of `node` sends to over its NIC, where uplinks share their load.
  [[nodiscard]] Peers by_level(std::uint32_t gpu, const std::vector<std::uint32_t>& node) const {
    double leaf = in_leaf_.at(cluster_.leaf_of(gpu));
    double pod = in_pod_.at(cluster_.pod_of(gpu));
    double all = all_;
    for (const std::uint32_t local : node) {
      leaf -= cluster_.leaf_of(local) == cluster_.leaf_of(gpu) ? 1 : 0;
      pod -= cluster_.pod_of(local) == cluster_.pod_of(gpu) ? 1 : 0;
      --all;
    }
    Peers peers;
    for (const auto& [level, members] : {std::pair(0, leaf), std::pair(1, pod - leaf), std::pair(2, all - pod)})
      if (members > 0)
        peers[{.level = static_cast<std::uint8_t>(level)}] = members;
    return peers;
  }

  enum class Way { Out, In };
  // The same by the uplinks on the way there, or back.
  [[nodiscard]] Peers by_uplink(std::uint32_t gpu, const std::vector<std::uint32_t>& node, Way way) const {
    Peers peers;
    for (const std::vector<std::uint32_t>& other : nodes_)
      if (&other != &node)
        for (const std::uint32_t peer : other)
          ++peers[way == Way::Out ? ascent_between(cluster_, gpu, peer) : ascent_between(cluster_, peer, gpu)];
    return peers;
  }

private:
  const NodeGroups& nodes_;
  const platforms::Cluster& cluster_;
  std::map<std::int64_t, double> in_leaf_; // members
  std::map<std::int64_t, double> in_pod_;
  double all_ = 0;
};

// What `gpu` of `node` sends and receives over its NIC: `part` to and from each member of other nodes.
void add_beyond(std::uint32_t gpu, const std::vector<std::uint32_t>& node, const Survey& survey, Bytes part,
                const platforms::Cluster& cluster, std::vector<execution::Flow>& flows) {
  if (cluster.fabric.routing == Routing::Adaptive) {
    for (const auto& [ascent, peers] : survey.by_level(gpu, node))
      flows.push_back(over_nic(gpu, ascent, ascent, peers * part, cluster));
    return;
  }
  for (const auto& [ascent, peers] : survey.by_uplink(gpu, node, Survey::Way::Out))
    flows.push_back({joined(out_of_nic(cluster, gpu, ascent), {}), peers * part});
  for (const auto& [ascent, peers] : survey.by_uplink(gpu, node, Survey::Way::In))
    flows.push_back({joined(into_nic(cluster, gpu, ascent), {}), peers * part});
}

// What each member sends and receives: a flow for its node, and one for each way that leads to others over its NIC.
Flows of_members(Bytes part, const NodeGroups& nodes, const platforms::Cluster& cluster) {
  const Survey survey(nodes, cluster);
  Flows flows;
  for (const std::vector<std::uint32_t>& node : nodes)
    for (const std::uint32_t gpu : node) {
      if (node.size() > 1)
        add_in_node(gpu, node, static_cast<double>(node.size() - 1) * part, cluster, flows);
      if (nodes.size() > 1)
        add_beyond(gpu, node, survey, part, cluster, flows);
    }
  return flows;
}

// A message for each pair, in rounds: in each round every member sends to one member of the node `shift` further on, as
// NCCL orders its sends and receives by the distance of nodes, and to one in its own node, which needs fewer rounds.
std::vector<Flows> in_rounds(Bytes part, const NodeGroups& nodes, const platforms::Cluster& cluster) {
  std::size_t most_local = 1;
  for (const std::vector<std::uint32_t>& node : nodes)
    most_local = std::max(most_local, node.size());
  std::vector<Flows> rounds(std::max(most_local - 1, (nodes.size() - 1) * most_local));
  for (std::size_t shift = 0; shift < nodes.size(); ++shift)
    for (std::size_t at = 0; at < nodes.size(); ++at) {
      const std::vector<std::uint32_t>& from = nodes[at];
      const std::vector<std::uint32_t>& to = nodes[(at + shift) % nodes.size()];
      const std::size_t first = shift == 0 ? 1 : 0; // nobody sends to itself
      for (std::size_t turn = first; turn < to.size(); ++turn) {
        Flows& round = rounds[shift == 0 ? turn - 1 : (shift - 1) * most_local + turn];
        for (std::size_t index = 0; index < from.size(); ++index)
          round.push_back(message(from[index], to[(index + turn) % to.size()], part, cluster));
      }
    }
  return rounds;
}

// What a member sends; `own` counts the copy of the own part, as parts of others.
SharesOf shares_of(const Call& call, const Group& group, double own) {
  return [part = call.size / group.members(), members = group.members(), own](double local) {
    return Shares{(local > 1 ? local - 1 + own : 0) * part, (members - local) * part};
  };
}

bool is_relayed(const Group& group) {
  return group.spans_nodes() && group.cluster().fabric.rails == platforms::Rails::Apart;
}

} // namespace

Seconds all_to_all_time(const Call& call, const Group& group) {
  const platforms::Cluster& cluster = group.cluster();
  Transfer sent = transfer(group, shares_of(call, group, cluster.protocols.own_part));
  sent.near = sent.near / (cluster.protocols.all_to_all_efficiency * group.in_node_efficiency());
  const Seconds to_relay = is_relayed(group) ? cluster.node_port().latency : Seconds();
  return to_relay + fastest(send_protocols(cluster, group.spans_nodes()),
                            {group.members() - 1, group.spans_nodes() ? 1.0 : 0.0, group.longest_hop()}, sent);
}

execution::Communication all_to_all(const Call& call, const Group& group) {
  const Bytes part = call.size / group.members();
  execution::Communication result;
  result.latency = all_to_all_time(call, group) - transfer(group, shares_of(call, group, 0)).longest();
  if (call.fidelity != Fidelity::Flow) {
    result.flows = is_relayed(group) ? relayed_flows(part, group.nodes(), group.cluster())
                                     : of_members(part, group.nodes(), group.cluster());
    return result;
  }
  // Rounds with different numbers of messages would wait for each other, as NCCL's do not.
  const bool is_one_wave = call.algorithm == Algorithm::Direct || !group.is_even();
  for (Flows& round : in_rounds(part, group.nodes(), group.cluster()))
    if (is_one_wave || result.flows.empty())
      result.flows.insert(result.flows.end(), round.begin(), round.end());
    else
      result.then.push_back({Seconds(), std::move(round)});
  return result;
}

} // namespace moesim::cost
