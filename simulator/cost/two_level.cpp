#include <vector>

#include "simulator/cost/families.hpp"
#include "simulator/cost/protocol.hpp"

namespace moesim::cost {
namespace {

// One level: what each member sends in it, to how many others, by which time.
struct Level {
  SharesOf shares;
  double peers = 0;
  Seconds time;
};

Level between_nodes(const Call& call, const Group& group) {
  const double nodes = group.node_count();
  const SharesOf shares = [size = call.size, nodes](double /*local*/) {
    return Shares{Bytes(), (nodes - 1) / nodes * size};
  };
  return {shares, nodes - 1,
          fastest(send_protocols(group.cluster(), true), {nodes - 1, 1, group.longest_hop()}, transfer(group, shares))};
}

Level inside_nodes(const Call& call, const Group& group) {
  const SharesOf shares = [size = call.size](double local) { return Shares{(local - 1) / local * size, Bytes()}; };
  Transfer sent = transfer(group, shares);
  sent.near = sent.near / (group.cluster().protocols.all_to_all_efficiency * group.in_node_efficiency());
  return {shares, group.most_local() - 1,
          fastest(send_protocols(group.cluster(), false), {group.most_local() - 1, 0}, sent)};
}

// Everybody exchanges with everybody on its rail, or in its node.
Flows pairs(const Level& level, const Group& group) {
  const NodeGroups& nodes = group.nodes();
  Flows flows;
  for (std::size_t at = 0; at < nodes.size(); ++at)
    for (std::size_t index = 0; index < nodes[at].size(); ++index) {
      const Shares sent = level.shares(group.most_local());
      for (std::size_t other = 0; other < nodes.size(); ++other)
        if (other != at && sent.far > Bytes())
          flows.push_back(message(nodes[at][index], nodes[other][index], sent.far / level.peers, group.cluster()));
      for (std::size_t other = 0; other < nodes[at].size(); ++other)
        if (other != index && sent.near > Bytes())
          flows.push_back(message(nodes[at][index], nodes[at][other], sent.near / level.peers, group.cluster()));
    }
  return flows;
}

} // namespace

bool can_two_level(const Call& /*call*/, const Group& group) {
  return group.spans_nodes() && group.is_even() && group.most_local() > 1;
}

Seconds two_level_time(const Call& call, const Group& group) {
  return between_nodes(call, group).time + inside_nodes(call, group).time;
}

execution::Communication two_level(const Call& call, const Group& group) {
  std::vector<execution::Communication> stages;
  for (const Level& level : {between_nodes(call, group), inside_nodes(call, group)}) {
    execution::Communication stage = in_steps(group, level.shares, level.time, 1, Detail::Members);
    stage.flows = call.fidelity == Fidelity::Flow ? pairs(level, group) : rail_flows(group, level.shares, level.shares);
    stages.push_back(std::move(stage));
  }
  return one_by_one(std::move(stages));
}

} // namespace moesim::cost
