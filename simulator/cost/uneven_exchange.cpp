#include "simulator/cost/uneven_exchange.hpp"

#include <algorithm>

#include "simulator/base/check.hpp"
#include "simulator/cost/deepep_copies.hpp"
#include "simulator/cost/exchange.hpp"

namespace moesim::cost {
namespace {

using graph::Kind;

// What members send each other when every copy goes by itself.
Traffic copies_sent(const graph::TokenTraffic& tokens) {
  const graph::TokenMatrix& matrix = *tokens.matrix;
  Traffic traffic{std::vector<Bytes>(matrix.members * matrix.members)};
  for (std::size_t from = 0; from < matrix.members; ++from)
    for (std::size_t to = 0; to < matrix.members; ++to)
      traffic.bytes[tokens.returns ? to * matrix.members + from : from * matrix.members + to] =
          tokens.share * matrix.copies_between(from, to) * tokens.copy;
  return traffic;
}

// DeepEP's normal kernels: once to the same rail of each node, and from there to the GPUs.
class Normal {
public:
  Normal(const Call& call, std::span<const RankId> members, const Group& group)
      : call_(call), members_(members), group_(group),
        there_(tokens_there(*call.tokens.matrix, call.routing, members, group)) {
    const std::size_t count = members.size();
    traffic_.bytes.assign(count * count, Bytes());
    copies_out_.assign(count, 0);
    copies_in_.assign(count, 0);
    relays_out_.assign(count, 0);
    relays_in_.assign(count, 0);
    for (std::size_t source = 0; source < count; ++source)
      for (std::size_t node = 0; node < group.nodes().size(); ++node)
        send(source, node);
  }

  [[nodiscard]] const Traffic& traffic() const { return traffic_; }

  // How long the multiprocessors of the member take that has most to do; nothing where it is not known how many run
  // the kernel.
  [[nodiscard]] Seconds on_multiprocessors(const platforms::TokenKernel& kernel) const {
    const auto taken = static_cast<double>(group_.cluster().gpu.communication.ep);
    if (taken == 0)
      return {};
    const double relays = group_.spans_nodes() ? kernel.relays : 0;
    Seconds most;
    for (std::size_t member = 0; member < members_.size(); ++member) {
      const double copies = std::max(copies_out_[member] + relays * relays_out_[member],
                                     copies_in_[member] + relays * relays_in_[member]);
      const Seconds time = kernel.bandwidth ? copies * call_.tokens.copy / *kernel.bandwidth : Seconds();
      most = std::max(most, time + call_.tokens.share * call_.tokens.matrix->tokens[member] * kernel.token);
    }
    return most / taken;
  }

private:
  // What a member's tokens are to a node.
  void send(std::size_t source, std::size_t node) {
    const std::vector<std::uint32_t>& gpus = group_.nodes()[node];
    const std::size_t relay = place_of(peer_in(gpus, index_in_node(source)));
    const double tokens = call_.tokens.share * there_.node[source][node];
    add(source, relay, tokens); // its own node's are there already
    relays_out_[source] += tokens;
    relays_in_[relay] += tokens;
    for (const std::uint32_t gpu : gpus) {
      const std::size_t to = place_of(gpu);
      const double copies = call_.tokens.share * there_.member[source][to];
      add(relay, to, copies);
      copies_out_[source] += copies;
      copies_in_[to] += copies;
    }
  }

  void add(std::size_t from, std::size_t to, double copies) {
    const std::size_t count = members_.size();
    if (from != to)
      traffic_.bytes[call_.tokens.returns ? to * count + from : from * count + to] += copies * call_.tokens.copy;
  }

  [[nodiscard]] std::size_t place_of(std::uint32_t gpu) const {
    return static_cast<std::size_t>(std::ranges::find(members_, RankId(gpu)) - members_.begin());
  }
  [[nodiscard]] std::size_t index_in_node(std::size_t member) const {
    for (const std::vector<std::uint32_t>& node : group_.nodes())
      if (const auto at = std::ranges::find(node, members_[member].value()); at != node.end())
        return static_cast<std::size_t>(at - node.begin());
    MOESIM_CHECK(false, "every member is on a node");
  }

  const Call& call_;
  std::span<const RankId> members_;
  const Group& group_;
  TokensThere there_;
  Traffic traffic_;
  // Of each member: copies to GPUs that its tokens make and that its experts get; and to nodes, that it has relayed and
  // that it relays.
  std::vector<double> copies_out_, copies_in_, relays_out_, relays_in_;
};

execution::Communication communication_of(const Exchange& exchange, Seconds time, const Group& group,
                                          Fidelity fidelity) {
  return {.latency = time - exchange.transfer(group).longest(),
          .flows = fidelity == Fidelity::Flow ? exchange.by_pair() : exchange.by_side()};
}

struct Candidate {
  Seconds time;
  execution::Communication communication;
};

Candidate normal(const Call& call, std::span<const RankId> members, const Group& group) {
  const platforms::DeepEp& deepep = group.cluster().protocols.deepep;
  const platforms::TokenKernel& kernel = call.kind == Kind::Dispatch ? deepep.dispatch : deepep.combine;
  const Normal tokens(call, members, group);
  const Exchange exchange(tokens.traffic(), members, group.cluster());
  const Transfer sent = exchange.transfer(group);
  const Seconds time = kernel.latency + (group.spans_nodes() ? group.node_count() : 0) * deepep.node_latency +
                       group.longest_hop() +
                       std::max({tokens.on_multiprocessors(kernel), sent.near / deepep.nvlink_efficiency,
                                 sent.far / deepep.nic_efficiency});
  return {time, communication_of(exchange, time, group, call.fidelity)};
}

Candidate low_latency(const Call& call, std::span<const RankId> members, const Group& group) {
  const platforms::DeepEp& deepep = group.cluster().protocols.deepep;
  const platforms::LowLatencyKernel& kernel =
      call.kind == Kind::Dispatch ? deepep.low_latency_dispatch : deepep.low_latency_combine;
  const Traffic traffic = copies_sent(call.tokens);
  const Exchange exchange(traffic, members, group.cluster());
  const Transfer sent = exchange.transfer(group);
  const graph::TokenMatrix& matrix = *call.tokens.matrix;
  const double most = call.tokens.share * *std::ranges::max_element(matrix.tokens);
  const Seconds time = kernel.latency + static_cast<double>(matrix.slots) * kernel.expert +
                       (group.spans_nodes() ? kernel.nic_latency : Seconds()) + group.longest_hop() +
                       std::max({most / call.routing.experts * kernel.token, sent.near / kernel.nvlink_efficiency,
                                 sent.far / kernel.nic_efficiency});
  return {time, communication_of(exchange, time, group, call.fidelity)};
}

} // namespace

Plan uneven_exchange(const Call& call, std::span<const RankId> members, const platforms::Cluster& cluster) {
  MOESIM_CHECK(call.tokens.matrix->members == members.size(), "the matrix has a row for each member");
  if (call.kind == Kind::AllToAll) {
    Plan plan{all_to_all_v(copies_sent(call.tokens), call.fidelity, members, cluster), Algorithm::Direct};
    if (!plan.communication.flows.empty())
      plan.communication.latency += call.tokens.reaction;
    return plan;
  }
  const Group group(members, cluster);
  Candidate by_node = normal(call, members, group);
  if (call.algorithm == Algorithm::DeepEp)
    return {std::move(by_node.communication), Algorithm::DeepEp};
  Candidate by_copy = low_latency(call, members, group);
  if (call.algorithm == Algorithm::DeepEpLowLatency || by_copy.time < by_node.time)
    return {std::move(by_copy.communication), Algorithm::DeepEpLowLatency};
  return {std::move(by_node.communication), Algorithm::DeepEp};
}

} // namespace moesim::cost
