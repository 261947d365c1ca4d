#include "simulator/cost/folded_network.hpp"

#include <algorithm>
#include <functional>
#include <unordered_map>

namespace moesim::cost {
namespace {

using execution::Crossing;
using execution::Flow;
using platforms::links_per_gpu;
using platforms::trunks_per_leaf;

struct Hash {
  std::size_t operator()(const Flow& flow) const {
    std::size_t hash = std::hash<double>()(flow.bytes.value());
    for (const Crossing& crossing : flow.route)
      hash = hash * 0x9e3779b97f4a7c15U + crossing.link;
    return hash;
  }
};

} // namespace

FoldedNetwork::FoldedNetwork(const graph::Folding& folding, const std::vector<std::uint32_t>& class_of_leaf,
                             const platforms::Cluster& cluster)
    : folding_(folding), class_of_leaf_(class_of_leaf), cluster_(cluster),
      first_trunk_(trunk_of(cluster, 0, platforms::Trunk::Up)) {}

std::vector<execution::Link> FoldedNetwork::links() const {
  std::vector<execution::Link> links;
  const auto add = [&](std::uint32_t link) {
    links.push_back({link_name(cluster_, link), link_bandwidth(cluster_, link)});
  };
  for (const RankId rank : folding_.representative)
    for (std::uint32_t kind = 0; kind < links_per_gpu; ++kind)
      add(rank.value() * links_per_gpu + kind);
  std::uint32_t classes = 0;
  for (std::size_t leaf = 0; leaf < class_of_leaf_.size(); ++leaf)
    if (class_of_leaf_[leaf] == classes) { // its first leaf
      ++classes;
      for (const platforms::Trunk trunk : {platforms::Trunk::Up, platforms::Trunk::Down})
        add(trunk_of(cluster_, static_cast<std::int64_t>(leaf), trunk));
    }
  return links;
}

std::vector<std::uint32_t> FoldedNetwork::class_of_link() const {
  std::vector<std::uint32_t> classes;
  for (std::uint32_t link = 0; link < folding_.class_of.size() * links_per_gpu; ++link)
    classes.push_back(class_of(link));
  for (std::uint32_t trunk = 0; trunk < class_of_leaf_.size() * trunks_per_leaf; ++trunk)
    classes.push_back(class_of(first_trunk_ + trunk));
  return classes;
}

std::uint32_t FoldedNetwork::class_of(std::uint32_t link) const {
  if (!is_trunk(link))
    return folding_.class_of[link / links_per_gpu] * links_per_gpu + link % links_per_gpu;
  const std::uint32_t trunk = link - first_trunk_;
  return static_cast<std::uint32_t>(folding_.size.size()) * links_per_gpu +
         class_of_leaf_[trunk / trunks_per_leaf] * trunks_per_leaf + trunk % trunks_per_leaf;
}

std::uint32_t FoldedNetwork::sharers(std::uint32_t gpu) {
  const std::int64_t leaf = cluster_.leaf_of(gpu);
  const auto [entry, is_new] = ranks_in_leaf_.try_emplace({leaf, folding_.class_of[gpu]}, 0);
  if (is_new) {
    const std::int64_t gpus = cluster_.fabric.nodes_per_leaf * cluster_.gpus_per_node;
    const auto first = folding_.class_of.begin() + leaf * gpus;
    const auto last = first + std::min(gpus, folding_.class_of.end() - first);
    entry->second = static_cast<std::uint32_t>(std::count(first, last, folding_.class_of[gpu]));
  }
  return entry->second;
}

std::map<std::uint32_t, std::uint32_t> FoldedNetwork::fullest_trunks(const std::vector<Flow>& flows) const {
  std::map<std::uint32_t, Bytes> load;
  for (const Flow& flow : flows)
    for (const Crossing& crossing : flow.route)
      if (is_trunk(crossing.link))
        load[crossing.link] += flow.bytes;
  std::map<std::uint32_t, std::uint32_t> fullest;
  for (const auto& [trunk, bytes] : load) {
    const auto [entry, is_new] = fullest.try_emplace(class_of(trunk), trunk);
    if (bytes > load[entry->second])
      entry->second = trunk;
  }
  return fullest;
}

execution::Communication FoldedNetwork::folded(execution::Communication communication) {
  communication.flows = folded(communication.flows);
  for (execution::Wave& wave : communication.then)
    wave.flows = folded(wave.flows);
  return communication;
}

std::vector<Flow> FoldedNetwork::folded(const std::vector<Flow>& flows) {
  const std::map<std::uint32_t, std::uint32_t> fullest = fullest_trunks(flows);
  std::vector<Flow> alike;
  std::vector<const Flow*> first; // of those that each stands for
  std::unordered_map<Flow, std::size_t, Hash> place;
  for (const Flow& flow : flows) {
    Flow on_classes{{}, flow.bytes};
    for (const Crossing& crossing : flow.route)
      on_classes.route.push_back({.link = class_of(crossing.link), .times = 0, .own = 0});
    const auto [entry, is_new] = place.try_emplace(on_classes, alike.size());
    if (is_new) {
      alike.push_back(on_classes);
      first.push_back(&flow);
    }
    for (std::size_t at = 0; at < flow.route.size(); ++at) {
      const std::uint32_t link = flow.route[at].link;
      Crossing& folded = alike[entry->second].route[at];
      if (link == (is_trunk(link) ? fullest.at(folded.link) : first[entry->second]->route[at].link))
        ++folded.own;
    }
  }
  // A link of a GPU is crossed by what that GPU sends, a trunk by what each rank of its class below the trunk does.
  for (std::size_t at = 0; at < alike.size(); ++at) {
    const Flow& original = *first[at];
    const std::size_t last = original.route.size() - 1;
    for (std::size_t crossing = 0; crossing <= last; ++crossing) {
      Crossing& folded = alike[at].route[crossing];
      folded.times = folded.own;
      if (!is_trunk(original.route[crossing].link))
        continue;
      const bool is_up = (original.route[crossing].link - first_trunk_) % trunks_per_leaf == 0;
      const std::size_t end = is_up ? 0 : last; // where the GPU is that sends or receives over this trunk
      folded.times = alike[at].route[end].own * sharers(original.route[end].link / links_per_gpu);
    }
  }
  return alike;
}

} // namespace moesim::cost
