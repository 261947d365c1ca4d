#include "simulator/cost/exchange.hpp"

#include <algorithm>

#include "simulator/base/check.hpp"

namespace moesim::cost {
namespace {

Bytes sum_of(const std::map<platforms::Ascent, Bytes>& ways) {
  Bytes sum;
  for (const auto& [way, bytes] : ways)
    sum += bytes;
  return sum;
}

} // namespace

template <class Visit>
void Exchange::visit_pairs(Visit&& visit) const {
  for (std::size_t from = 0; from < members_.size(); ++from)
    for (std::size_t to = 0; to < members_.size(); ++to)
      if (const Bytes bytes = traffic_.from_to(from, to, members_.size()); from != to && bytes > Bytes())
        visit(from, to, bytes);
}

Exchange::Exchange(const Traffic& traffic, std::span<const RankId> members, const platforms::Cluster& cluster)
    : traffic_(traffic), members_(members), cluster_(cluster), sides_(members.size()) {
  MOESIM_CHECK(traffic.bytes.size() == members.size() * members.size(), "a row and a column for each member");
  visit_pairs([&](std::size_t from, std::size_t to, Bytes bytes) {
    if (share_a_node(gpu(from), gpu(to), cluster)) {
      sides_[from].sent += bytes;
      sides_[to].received += bytes;
    } else {
      const platforms::Ascent way = ascent_to(gpu(from), gpu(to), cluster);
      sides_[from].sent_up[way] += bytes;
      sides_[to].received_up[way] += bytes;
    }
  });
  for (std::size_t member = 0; member < members.size(); ++member)
    sides_[member].kept = traffic.from_to(member, member, members.size());
}

bool Exchange::is_empty() const {
  return std::ranges::all_of(traffic_.bytes, [](Bytes bytes) { return bytes == Bytes(); });
}

Transfer Exchange::transfer(const Group& group, double own) const {
  Transfer longest;
  for (const Sides& sides : sides_) {
    const Bytes near = std::max(sides.sent, sides.received);
    if (near > Bytes())
      longest.near =
          std::max(longest.near,
                   (near + own * sides.kept) / node_bandwidth(cluster_, static_cast<std::int64_t>(group.most_local())));
    const Bytes far = std::max(sum_of(sides.sent_up), sum_of(sides.received_up));
    longest.far = std::max(longest.far, far / nic_bandwidth(cluster_));
  }
  return longest;
}

Flows Exchange::by_side() const {
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

Flows Exchange::by_pair() const {
  Flows flows;
  visit_pairs([&](std::size_t from, std::size_t to, Bytes bytes) {
    flows.push_back(message(gpu(from), gpu(to), bytes, cluster_));
  });
  return flows;
}

} // namespace moesim::cost
