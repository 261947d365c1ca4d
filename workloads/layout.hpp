// Where each rank of the job stands, and with whom it communicates. "MoE parallel folding" (Megatron Core; arXiv
// 2504.14960): attention and dense parts are laid out as world = tp x cp x dp x pp, experts as world = etp x ep x edp x
// pp over the same ranks, so an expert group may span tensor, context and data ranks.
//
// Groups are computed from the rank, never stored, so that a job of a million ranks costs nothing until somebody asks.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "simulator/base/ids.hpp"
#include "simulator/graph/program.hpp"

namespace moesim::workloads {

// The degrees of parallelism. All are at least 1.
struct ParallelSizes {
  std::int64_t tp = 1;  // tensor
  std::int64_t cp = 1;  // context
  std::int64_t pp = 1;  // pipeline
  std::int64_t vpp = 1; // virtual pipeline chunks per stage
  std::int64_t ep = 1;  // expert
  std::int64_t etp = 1; // tensor, inside an expert
  std::int64_t dp = 1;  // data, of attention and dense parts

  [[nodiscard]] std::int64_t world() const { return tp * cp * dp * pp; }
  // Data-parallel replicas of each expert; whole when Layout::problems() is empty.
  [[nodiscard]] std::int64_t edp() const { return world() / (pp * ep * etp); }
  // Ranks in each group of a dimension. Dp counts context ranks, too: their gradients are summed together.
  [[nodiscard]] std::int64_t group_size(graph::Dimension dimension) const;

  bool operator==(const ParallelSizes&) const = default;
};

// Megatron's default: tensor ranks are neighbours, pipeline stages are farthest apart.
inline constexpr std::string_view default_rank_order = "tp-cp-ep-dp-pp";

struct Coordinates {
  std::int64_t tp = 0, cp = 0, dp = 0, etp = 0, ep = 0, edp = 0, pp = 0;
  bool operator==(const Coordinates&) const = default;
};

class Layout {
public:
  // What is wrong with the sizes and the order, each with the field it concerns and what would work.
  struct Problem {
    std::string field; // "ep", "order", ...
    std::string message;
  };
  [[nodiscard]] static std::vector<Problem> problems(const ParallelSizes& sizes, std::string_view order);

  // Requires problems(sizes, order) to be empty.
  explicit Layout(const ParallelSizes& sizes, std::string_view order = default_rank_order);

  [[nodiscard]] const ParallelSizes& sizes() const { return sizes_; }
  [[nodiscard]] std::uint32_t world_size() const { return static_cast<std::uint32_t>(sizes_.world()); }

  [[nodiscard]] Coordinates coordinates(RankId rank) const;
  // The rank with the given attention coordinates (tp, cp, dp, pp).
  [[nodiscard]] RankId rank_at(const Coordinates& attention) const;

  [[nodiscard]] std::uint32_t group_size(graph::Dimension dimension) const {
    return static_cast<std::uint32_t>(sizes_.group_size(dimension));
  }
  [[nodiscard]] std::uint32_t group_count(graph::Dimension dimension) const;
  // The group of `rank`, 0 .. group_count - 1.
  [[nodiscard]] std::uint32_t group_of(graph::Dimension dimension, RankId rank) const;
  // The members of a group, ascending.
  [[nodiscard]] std::vector<RankId> members(graph::Dimension dimension, std::uint32_t group) const;
  // The ranks of a stage have positions, in ascending order; those at one position of different stages exchange
  // activations, and groups consist of the same positions in every stage.
  [[nodiscard]] std::uint32_t position_count() const { return world_size() / static_cast<std::uint32_t>(sizes_.pp); }
  [[nodiscard]] RankId rank_of(std::int64_t stage, std::uint32_t position) const;
  [[nodiscard]] std::uint32_t position_of(RankId rank) const;
  // The positions of each group of a dimension, ascending; groups by their first position.
  [[nodiscard]] std::vector<std::vector<std::uint32_t>> position_groups(graph::Dimension dimension) const;

  // What graph::expand() wants to know when the ranks of a stage are folded by position. Classes are numbered from 0 in
  // the order of their first positions. Requires the positions of a class to be in groups with the same classes, in
  // each of the dimensions that matter; the others have no groups.
  [[nodiscard]] graph::Membership membership(std::span<const std::uint32_t> class_of_position,
                                             std::span<const graph::Dimension> dimensions) const;
  // The same with every rank by itself.
  [[nodiscard]] graph::Membership membership() const;

private:
  // One digit of a rank: (rank / stride) % size.
  struct Digit {
    std::int64_t size = 1;
    std::int64_t stride = 1;
  };
  // Digits that vary inside a group of `dimension`, and those that tell its groups apart, by ascending stride.
  struct Split {
    std::vector<Digit> inside;
    std::vector<Digit> outside;
  };
  [[nodiscard]] Split split(graph::Dimension dimension) const;
  [[nodiscard]] static std::uint32_t group_of(const Split& digits, RankId rank);

  ParallelSizes sizes_;
  Digit tp_, cp_, dp_, pp_;    // attention
  Digit etp_, ep_, edp_, epp_; // experts
};

// One line per rank, then one per group, each kind in order: what `moesim dump layout` prints.
[[nodiscard]] std::string describe(const Layout& layout);

} // namespace moesim::workloads
