#include <algorithm>
#include <cmath>
#include <optional>

#include "simulator/cost/deepep_copies.hpp"
#include "simulator/cost/families.hpp"

namespace moesim::cost {
namespace {

using graph::Kind;

// What tokens are dispatched or combined: as many on each member.
class Tokens {
public:
  Tokens(const Call& call, const Group& group)
      : call_(call), group_(group), own_(call.routing.experts / group.members()),
        copies_(group.members() * even_chance(call.routing, own_)) {
    for (const std::vector<std::uint32_t>& node : group.nodes())
      nodes_ += chance_of_node(static_cast<double>(node.size()));
  }

  // Each token of a member once.
  [[nodiscard]] Bytes once() const { return call_.size / call_.routing.per_token; }
  [[nodiscard]] double copies() const { return copies_; } // of a token, to different GPUs
  [[nodiscard]] double nodes() const { return nodes_; }   // that a token goes to
  [[nodiscard]] double chance_of_node(double local) const { return even_chance(call_.routing, own_ * local); }

  // Normal kernels: once to the same rail of each node, and from there to the GPUs, one of which it has reached
  // already.
  [[nodiscard]] Shares sent(double local) const {
    return {copies_ * (local - 1) / local * once(), is_dispatch() ? to_nodes(local) : from_nodes(local)};
  }
  [[nodiscard]] Shares received(double local) const {
    return {sent(local).near, is_dispatch() ? from_nodes(local) : to_nodes(local)};
  }

private:
  [[nodiscard]] bool is_dispatch() const { return call_.kind == Kind::Dispatch; }
  // Between a member's NIC and the experts of other nodes, and between the tokens of other nodes and its node's
  // experts. They differ where nodes have different numbers of members.
  [[nodiscard]] Bytes to_nodes(double local) const { return (nodes_ - chance_of_node(local)) * once(); }
  [[nodiscard]] Bytes from_nodes(double local) const {
    return (group_.members() - local) / local * chance_of_node(local) * once();
  }

  const Call& call_;
  const Group& group_;
  double own_; // experts of a member
  double copies_;
  double nodes_ = 0;
};

// Tokens of a member; 0 where it is not known what one is.
double tokens_of(const Call& call) {
  const Bytes token = call.routing.per_token * call.routing.token;
  return token > Bytes() ? call.size / token : 0;
}

Transfer most_of(const Tokens& tokens, const Group& group) {
  const Transfer out = transfer(group, [&](double local) { return tokens.sent(local); });
  const Transfer in = transfer(group, [&](double local) { return tokens.received(local); });
  return {std::max(out.near, in.near), std::max(out.far, in.far)};
}

// How long the multiprocessors that run the kernel take; nothing where it is not known how many there are.
Seconds on_multiprocessors(const platforms::TokenKernel& kernel, const Tokens& tokens, const Call& call,
                           const Group& group) {
  const auto taken = static_cast<double>(group.cluster().gpu.communication.ep);
  if (taken == 0)
    return {};
  const double copies = tokens.copies() + (group.spans_nodes() ? kernel.relays * tokens.nodes() : 0);
  Seconds time = kernel.bandwidth ? copies * tokens.once() / *kernel.bandwidth : Seconds();
  return (time + tokens_of(call) * kernel.token) / taken;
}

// Each member to those of its rail, and to those of its node; combine takes the same ways back.
Flows pairs(const Tokens& tokens, const Call& call, const Group& group) {
  Flows flows;
  const auto add = [&](std::uint32_t tokens_at, std::uint32_t experts_at, Bytes bytes) {
    const bool is_dispatch = call.kind == Kind::Dispatch;
    flows.push_back(
        message(is_dispatch ? tokens_at : experts_at, is_dispatch ? experts_at : tokens_at, bytes, group.cluster()));
  };
  for (const std::vector<std::uint32_t>& node : group.nodes())
    for (std::size_t index = 0; index < node.size(); ++index) {
      const auto local = static_cast<double>(node.size());
      for (const std::uint32_t other : node)
        if (other != node[index])
          add(node[index], other, tokens.sent(local).near / (local - 1));
      for (const std::vector<std::uint32_t>& peers : group.nodes())
        if (&peers != &node)
          add(node[index], peer_in(peers, index),
              tokens.chance_of_node(static_cast<double>(peers.size())) * tokens.once());
    }
  return flows;
}

SharesOf copies_sent(const Call& call, const Group& group) {
  return [part = call.size / group.members(), members = group.members()](double local) {
    return Shares{(local - 1) * part, (members - local) * part};
  };
}

} // namespace

Seconds deepep_time(const Call& call, const Group& group) {
  const platforms::DeepEp& deepep = group.cluster().protocols.deepep;
  const platforms::TokenKernel& kernel = call.kind == Kind::Dispatch ? deepep.dispatch : deepep.combine;
  const Tokens tokens(call, group);
  const Transfer sent = most_of(tokens, group);
  return kernel.latency + (group.spans_nodes() ? group.node_count() : 0) * deepep.node_latency + group.longest_hop() +
         std::max({on_multiprocessors(kernel, tokens, call, group), sent.near / deepep.nvlink_efficiency,
                   sent.far / deepep.nic_efficiency});
}

execution::Communication deepep(const Call& call, const Group& group) {
  const Tokens tokens(call, group);
  execution::Communication result{.latency = deepep_time(call, group) - most_of(tokens, group).longest()};
  if (call.fidelity == Fidelity::Flow) {
    result.flows = pairs(tokens, call, group);
  } else {
    result.flows = rail_flows(
        group, [&](double local) { return tokens.sent(local); }, [&](double local) { return tokens.received(local); });
  }
  return result;
}

Seconds low_latency_time(const Call& call, const Group& group) {
  const platforms::DeepEp& deepep = group.cluster().protocols.deepep;
  const platforms::LowLatencyKernel& kernel =
      call.kind == Kind::Dispatch ? deepep.low_latency_dispatch : deepep.low_latency_combine;
  const Transfer sent = transfer(group, copies_sent(call, group));
  return kernel.latency + call.routing.experts / group.members() * kernel.expert +
         (group.spans_nodes() ? kernel.nic_latency : Seconds()) + group.longest_hop() +
         std::max({tokens_of(call) / call.routing.experts * kernel.token, sent.near / kernel.nvlink_efficiency,
                   sent.far / kernel.nic_efficiency});
}

Bytes bytes_to_other_gpus(const Call& call, const Group& group) {
  return Tokens(call, group).sent(group.most_local()).near;
}

// The bytes of an all-to-all: each member sends each other as many copies.
execution::Communication low_latency(const Call& call, const Group& group) {
  Call exchange = call;
  exchange.algorithm = Algorithm::Direct;
  execution::Communication result = all_to_all(exchange, group);
  result.latency = low_latency_time(call, group) - transfer(group, copies_sent(call, group)).longest();
  return result;
}

} // namespace moesim::cost
