// What tells one position of the layout from another before anybody looks at its neighbours: a number per position,
// equal where nothing does. A position is one rank of each stage (workloads/layout.hpp), so each number speaks of all
// of them.
#pragma once

#include <array>
#include <cstdint>
#include <set>
#include <span>
#include <vector>

#include "platforms/cluster.hpp"
#include "simulator/cost/cost_table.hpp"
#include "simulator/graph/program.hpp"
#include "workloads/layout.hpp"

namespace moesim::folding {

using Signatures = std::vector<std::uint64_t>; // per position

// A collective that a stage runs in all groups of a dimension, and that is the same for all of them.
struct Use {
  graph::Kind kind = graph::Kind::AllReduce;
  graph::Stream stream = graph::Stream::Tp;
  Bytes size;
  graph::TokenRouting routing;

  auto operator<=>(const Use&) const = default;
};
using Uses = std::set<Use>;
[[nodiscard]] std::array<Uses, graph::dimension_count> collectives_of(const graph::Program& program,
                                                                      const std::vector<graph::Work>& works);
[[nodiscard]] cost::Call call_of(const Use& use, const cost::NetworkOptions& options);
// Whether each flow of what runs on a stream is one between two of its members (fidelity flow), not one of a member by
// itself.
[[nodiscard]] bool simulates_pairs(graph::Stream stream, const cost::NetworkOptions& options);

// Of the steps of a program that are not the same on every rank (graph::WorkFamily): one for all that are of one family
// and whose tokens go the same ways.
[[nodiscard]] std::vector<graph::Step> steps_by_load(const graph::Program& program, const graph::Programs& programs);
// What a communication among them is in a group, and what tells it from others of the same step: the works of the
// members.
[[nodiscard]] cost::Call call_in(std::span<const RankId> group, const graph::Step& step,
                                 const graph::Programs& programs, const cost::NetworkOptions& options);
[[nodiscard]] std::vector<std::uint32_t> works_in(std::span<const RankId> group, const graph::Step& step,
                                                  const graph::Programs& programs);

// A GPU that sends or receives over a trunk above it.
struct TrunkUser {
  std::uint32_t stage = 0;
  std::uint32_t position = 0;
};

// Where groups and transfers cross the boundaries of nodes and of what is above them.
struct Places {
  Signatures signatures; // what a position sends and receives over each of its links in each of its groups
  Signatures by_load;    // the same of what is not the same for all groups
  std::vector<std::vector<TrunkUser>> users_of_trunk; // of each trunk above the job (platforms::trunks_above)
  bool uses_own_links = true; // false: some rank sends over links of a GPU that relays, and nothing is alike for sure
};
[[nodiscard]] Places places_of(const graph::Programs& programs, const workloads::Layout& layout,
                               const platforms::Cluster& cluster, const cost::NetworkOptions& options);
// What a position computes and holds that others do not: the works of steps_by_load(), besides what `by_load` says that
// it sends.
[[nodiscard]] Signatures load_signatures(const graph::Programs& programs, const workloads::Layout& layout,
                                         Signatures by_load);
// GPUs that are slower or faster than the cluster's.
[[nodiscard]] Signatures speed_signatures(const workloads::Layout& layout, const platforms::Cluster& cluster);
// Links that have another bandwidth than the cluster's.
[[nodiscard]] Signatures link_signatures(const workloads::Layout& layout, const platforms::Cluster& cluster);
// A number for each trunk above the job: its tier and its bandwidths.
[[nodiscard]] Signatures trunk_signatures(const workloads::Layout& layout, const platforms::Cluster& cluster);

} // namespace moesim::folding
