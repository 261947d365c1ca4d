// Who stands for everybody: one rank of each stage, in the same place of each, so that what passes through these ranks
// is a chain of tasks that follow each other. Where all nodes and GPUs are alike every such chain takes as long; else
// those of slow GPUs and weak links take longer.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "platforms/cluster.hpp"
#include "simulator/screen/communication_times.hpp"
#include "workloads/layout.hpp"

namespace moesim::screen {

// What a rank sees of the cluster.
struct Place {
  std::array<CommunicationTimes::Group, graph::dimension_count> groups{}; // that it is in, by dimension
  double speed = 1;                                                       // of its GPU
  auto operator<=>(const Place&) const = default;

  [[nodiscard]] CommunicationTimes::Group group(graph::Dimension dimension) const {
    return groups[static_cast<std::size_t>(dimension)];
  }
};
using PlaceId = std::uint32_t;

struct RankChain {
  std::vector<PlaceId> places; // of each stage's rank
  // The pairs of that rank and the one of the next or previous stage, going around: first and last are neighbours.
  std::vector<CommunicationTimes::Group> to_next, to_previous;
};

class RankChains {
public:
  // Both must outlive this.
  RankChains(const platforms::Cluster& cluster, CommunicationTimes& communication, std::string_view order);

  // The chain of rank 0, and some others where ranks are not alike: through groups that are spread over more nodes than
  // others of their dimension, and through GPUs with overrides. Requires the sizes to fit the cluster.
  [[nodiscard]] const std::vector<RankChain>& of(const workloads::ParallelSizes& sizes);

  [[nodiscard]] const Place& place(PlaceId id) const { return *places_[id]; }

private:
  struct Hash {
    std::size_t operator()(const workloads::ParallelSizes& sizes) const;
  };

  [[nodiscard]] std::vector<RankChain> chains_of(const workloads::ParallelSizes& sizes);
  // Adds, for each dimension, a rank of the group that is spread over most nodes.
  void add_scattered(const workloads::Layout& layout, std::vector<std::uint32_t>& ranks) const;
  [[nodiscard]] RankChain chain_of(const workloads::Layout& layout, workloads::Coordinates at);
  [[nodiscard]] PlaceId place_of(const workloads::Layout& layout, RankId rank);

  const platforms::Cluster& cluster_;
  CommunicationTimes& communication_;
  std::string order_;
  std::vector<std::uint32_t> overridden_; // GPUs
  std::map<Place, PlaceId> place_ids_;
  std::vector<const Place*> places_; // in place_ids_
  std::unordered_map<workloads::ParallelSizes, std::vector<RankChain>, Hash> chains_;
};

} // namespace moesim::screen
