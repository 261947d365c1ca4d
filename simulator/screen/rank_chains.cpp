#include "simulator/screen/rank_chains.hpp"

#include <algorithm>
#include <bit>
#include <set>

#include "platforms/links.hpp"
#include "simulator/base/check.hpp"
#include "simulator/screen/memo.hpp"

namespace moesim::screen {
namespace {

// Each takes as long as the first: a search over a cluster with many overrides is to stay a fast one.
constexpr std::size_t most_chains = 4;

// Whether all groups of a dimension lie the same way over nodes: a rank's number is then made of bits, of which each
// group has its own.
bool lies_alike(const workloads::ParallelSizes& sizes, std::int64_t gpus_per_node) {
  return std::ranges::all_of(std::array{sizes.tp, sizes.cp, sizes.dp, sizes.pp, sizes.etp, sizes.ep, gpus_per_node},
                             [](std::int64_t size) { return std::has_single_bit(static_cast<std::uint64_t>(size)); });
}

} // namespace

RankChains::RankChains(const platforms::Cluster& cluster, CommunicationTimes& communication, std::string_view order)
    : cluster_(cluster), communication_(communication), order_(order) {
  std::multimap<double, std::uint32_t> by_factor; // the slowest first
  for (const platforms::GpuOverride& slow : cluster.slow_gpus)
    by_factor.emplace(slow.speed, slow.gpu);
  for (const platforms::LinkOverride& degraded : cluster.degraded_links)
    by_factor.emplace(degraded.bandwidth_factor, degraded.link / links_per_gpu(cluster));
  for (const auto& [factor, gpu] : by_factor)
    overridden_.push_back(gpu);
}

const std::vector<RankChain>& RankChains::of(const workloads::ParallelSizes& sizes) {
  return kept(chains_, sizes, [&] { return chains_of(sizes); });
}

std::vector<RankChain> RankChains::chains_of(const workloads::ParallelSizes& sizes) {
  MOESIM_CHECK(sizes.world() <= cluster_.gpu_count(), "the job fits the cluster");
  const workloads::Layout layout(sizes, order_);
  std::vector<std::uint32_t> through = overridden_;
  through.insert(through.begin(), 0);
  if (!lies_alike(sizes, cluster_.gpus_per_node))
    add_scattered(layout, through);
  std::vector<RankChain> chains;
  std::set<std::uint32_t> begun; // ranks of the first stage
  for (const std::uint32_t rank : through) {
    if (rank >= layout.world_size() || chains.size() == most_chains)
      continue;
    workloads::Coordinates at = layout.coordinates(RankId(rank));
    at.pp = 0;
    if (begun.insert(layout.rank_at(at).value()).second)
      chains.push_back(chain_of(layout, at));
  }
  return chains;
}

void RankChains::add_scattered(const workloads::Layout& layout, std::vector<std::uint32_t>& ranks) const {
  for (std::size_t at = 0; at < graph::dimension_count; ++at) {
    const auto dimension = static_cast<graph::Dimension>(at);
    std::size_t most_nodes = 0;
    std::uint32_t first = 0;
    for (std::uint32_t group = 0; group < layout.group_count(dimension); ++group) {
      std::set<std::int64_t> nodes;
      const std::vector<RankId> members = layout.members(dimension, group);
      for (const RankId member : members)
        nodes.insert(cluster_.node_of(member.value()));
      if (nodes.size() > most_nodes) {
        most_nodes = nodes.size();
        first = members.front().value();
      }
    }
    ranks.push_back(first);
  }
}

RankChain RankChains::chain_of(const workloads::Layout& layout, workloads::Coordinates at) {
  std::vector<RankId> ranks;
  RankChain chain;
  for (at.pp = 0; at.pp < layout.sizes().pp; ++at.pp) {
    ranks.push_back(layout.rank_at(at));
    const std::uint32_t apart = ranks.back().value() - ranks.front().value();
    const bool is_as_first =
        communication_.nodes_are_alike() && cluster_.slow_gpus.empty() && apart % cluster_.gpus_per_node == 0;
    chain.places.push_back(is_as_first && at.pp > 0 ? chain.places.front() : place_of(layout, ranks.back()));
  }
  for (std::size_t stage = 0; stage < ranks.size(); ++stage) {
    const std::size_t next = (stage + 1) % ranks.size();
    const std::size_t previous = (stage + ranks.size() - 1) % ranks.size();
    chain.to_next.push_back(communication_.group_of({ranks[stage], ranks[next]}));
    chain.to_previous.push_back(communication_.group_of({ranks[stage], ranks[previous]}));
  }
  return chain;
}

PlaceId RankChains::place_of(const workloads::Layout& layout, RankId rank) {
  Place place;
  for (std::size_t at = 0; at < graph::dimension_count; ++at) {
    const auto dimension = static_cast<graph::Dimension>(at);
    place.groups[at] = communication_.group_of(layout.members(dimension, layout.group_of(dimension, rank)));
  }
  place.speed = platforms::gpu_speed(cluster_, rank.value());
  const auto [entry, is_new] = place_ids_.try_emplace(place, static_cast<PlaceId>(places_.size()));
  if (is_new)
    places_.push_back(&entry->first);
  return entry->second;
}

std::size_t RankChains::Hash::operator()(const workloads::ParallelSizes& sizes) const {
  const auto value = [](std::int64_t size) { return static_cast<std::uint64_t>(size); };
  return hash_of(
      {value(sizes.tp), value(sizes.cp), value(sizes.pp), value(sizes.ep), value(sizes.etp), value(sizes.dp)});
}

} // namespace moesim::screen
