#include "simulator/cost/folded_network.hpp"

#include <algorithm>
#include <functional>
#include <unordered_map>

#include "simulator/base/check.hpp"

namespace moesim::cost {
namespace {

using execution::Crossing;
using execution::Flow;
using platforms::links_per_trunk;
using platforms::Trunk;

struct Hash {
  std::size_t operator()(const Flow& flow) const {
    std::size_t hash = std::hash<double>()(flow.bytes.value());
    for (const Crossing& crossing : flow.route)
      hash = hash * 0x9e3779b97f4a7c15U + crossing.link;
    return hash;
  }
};

} // namespace

FoldedNetwork::FoldedNetwork(const graph::Folding& folding, const std::vector<std::uint32_t>& class_of_trunk,
                             const platforms::Cluster& cluster)
    : folding_(folding), class_of_trunk_(class_of_trunk), cluster_(cluster), links_per_gpu_(links_per_gpu(cluster)),
      first_trunk_(first_trunk(cluster)),
      trunks_(trunks_above(cluster, static_cast<std::uint32_t>(folding.class_of.size()))) {
  MOESIM_CHECK(trunks_.size() == class_of_trunk.size(), "every trunk above the job has a class");
}

std::vector<execution::Link> FoldedNetwork::links() const {
  std::vector<execution::Link> links;
  const auto add = [&](std::uint32_t link) {
    links.push_back({link_name(cluster_, link), link_bandwidth(cluster_, link)});
  };
  for (const RankId rank : folding_.representative)
    for (std::uint32_t at = 0; at < links_per_gpu_; ++at)
      add(rank.value() * links_per_gpu_ + at);
  std::uint32_t classes = 0;
  for (std::size_t trunk = 0; trunk < trunks_.size(); ++trunk)
    if (class_of_trunk_[trunk] == classes) { // its first trunk
      ++classes;
      for (const Trunk direction : {Trunk::Up, Trunk::Down})
        add(link_of_trunk(cluster_, trunks_[trunk], direction));
    }
  return links;
}

std::vector<std::uint32_t> FoldedNetwork::class_of_link() const {
  std::vector<std::uint32_t> classes;
  for (std::uint32_t link = 0; link < folding_.class_of.size() * links_per_gpu_; ++link)
    classes.push_back(class_of(link));
  for (const std::uint32_t trunk : trunks_)
    for (const Trunk direction : {Trunk::Up, Trunk::Down})
      classes.push_back(class_of(link_of_trunk(cluster_, trunk, direction)));
  return classes;
}

std::uint32_t FoldedNetwork::class_of(std::uint32_t link) const {
  if (!is_trunk(link))
    return folding_.class_of[link / links_per_gpu_] * links_per_gpu_ + link % links_per_gpu_;
  const auto trunk = std::ranges::lower_bound(trunks_, trunk_number(cluster_, link)) - trunks_.begin();
  return static_cast<std::uint32_t>(folding_.size.size()) * links_per_gpu_ +
         class_of_trunk_[static_cast<std::size_t>(trunk)] * links_per_trunk + (link - first_trunk_) % links_per_trunk;
}

std::size_t FoldedNetwork::sharers(std::uint32_t gpu, std::uint32_t trunk_link) {
  const platforms::Tier tier = tier_of_trunk(cluster_, trunk_number(cluster_, trunk_link));
  std::vector<SiteAndClass>& below = below_[tier];
  if (below.empty()) {
    for (std::uint32_t rank = 0; rank < folding_.class_of.size(); ++rank)
      below.emplace_back(site_of(cluster_, tier, rank), folding_.class_of[rank]);
    std::ranges::sort(below);
  }
  return std::ranges::equal_range(below, SiteAndClass(site_of(cluster_, tier, gpu), folding_.class_of[gpu])).size();
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
      const std::uint32_t trunk = original.route[crossing].link;
      const bool is_up = (trunk - first_trunk_) % links_per_trunk == 0;
      const std::size_t end = is_up ? 0 : last; // where the GPU is that sends or receives over this trunk
      const std::size_t ranks = sharers(original.route[end].link / links_per_gpu_, trunk);
      folded.times = alike[at].route[end].own * static_cast<std::uint32_t>(ranks);
    }
  }
  return alike;
}

} // namespace moesim::cost
