#include <algorithm>
#include <bit>
#include <iterator>

#include "simulator/cost/families.hpp"
#include "simulator/cost/protocol.hpp"

namespace moesim::cost {
namespace {

// The switch reads what each member has of every part, and each member multicasts the part that it has summed; on each
// rail the trees between nodes have a part.
SharesOf shares_of(const Call& call, double traffic) {
  return [size = call.size, traffic](double local) { return Shares{(1 + 1 / local) * size, traffic / local * size}; };
}

double traffic_between(const Group& group, double (*of_nodes)(double)) {
  return group.spans_nodes() ? of_nodes(group.node_count()) : 0;
}

} // namespace

bool can_nvls(const Call& /*call*/, const Group& group) {
  const auto& nvls = group.cluster().protocols.nvls;
  if (!nvls)
    return false;
  const auto is_enough = [&](const std::vector<std::uint32_t>& node) {
    return static_cast<std::int64_t>(node.size()) >= nvls->min_gpus;
  };
  return std::ranges::all_of(group.nodes(), is_enough);
}

Seconds nvls_time(const Call& call, const Group& group) {
  const platforms::Cluster& cluster = group.cluster();
  const Transfer sent = transfer(group, shares_of(call, traffic_between(group, most_tree_traffic)));
  const platforms::InSwitch& nvls = *cluster.protocols.nvls;
  if (!group.spans_nodes())
    return nvls.latency + sent.near / nvls.efficiency;
  const platforms::Protocol between = tree_protocols(cluster).back();
  const auto levels = static_cast<double>(std::bit_width(group.nodes().size() - 1));
  return nvls.latency + 2 * levels * (between.nic_latency + group.longest_hop()) +
         std::max(sent.near / nvls.efficiency / cluster.protocols.tree_efficiency, sent.far / between.nic_efficiency);
}

execution::Communication nvls(const Call& call, const Group& group) {
  const Seconds time = nvls_time(call, group);
  if (call.fidelity != Fidelity::Flow || !group.spans_nodes())
    return in_steps(group, shares_of(call, traffic_between(group, mean_tree_traffic)), time, 1, Detail::Members);
  Flows flows = member_flows(group, shares_of(call, 0)); // to and from the switch
  std::ranges::move(tree_messages(call.size, group), std::back_inserter(flows));
  const Transfer most = transfer(group, shares_of(call, most_tree_traffic(group.node_count())));
  return {.latency = time - most.longest(), .flows = std::move(flows)};
}

} // namespace moesim::cost
