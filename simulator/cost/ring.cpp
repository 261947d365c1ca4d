#include <algorithm>

#include "simulator/cost/families.hpp"
#include "simulator/cost/protocol.hpp"

namespace moesim::cost {
namespace {

using graph::Kind;

Steps steps_of(const Call& call, const Group& group) {
  const double rounds = call.kind == Kind::AllReduce ? 2 : 1; // all-reduce: reduce-scatter, then all-gather
  const double boundaries = group.node_count() - 1;
  return {rounds * (group.members() - 1 - boundaries), rounds * boundaries, group.mean_hop()};
}

// A ring that crosses the node boundary enters a node at one member and leaves it at another, one hop less than the
// node has members on; one that stays inside the node moves everything at each of its hops.
SharesOf shares_of(const Call& call, const Group& group) {
  const Bytes moved = steps_of(call, group).all() / group.members() * call.size;
  return [moved, spans_nodes = group.spans_nodes()](double local) {
    const double inside = spans_nodes ? (local - 1) / local : 1;
    return Shares{local > 1 ? inside * moved : Bytes(), spans_nodes ? moved / local : Bytes()};
  };
}

} // namespace

Seconds ring_time(const Call& call, const Group& group) {
  const Steps steps = steps_of(call, group);
  Transfer sent = transfer(group, shares_of(call, group));
  // A chunk passes every rank once more than it is sent: the first of its steps only sends, the last only receives.
  const double exposed = 1 + group.cluster().ring_exposed_steps / steps.all();
  sent = {exposed / group.in_node_efficiency() * sent.near, exposed * sent.far};
  return fastest(collective_protocols(group.cluster()), steps, sent);
}

execution::Communication ring(const Call& call, const Group& group) {
  return in_steps(group, shares_of(call, group), ring_time(call, group), steps_of(call, group).all(), detail_of(call));
}

} // namespace moesim::cost
