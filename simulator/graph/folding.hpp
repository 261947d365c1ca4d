// Ranks that do the same at the same time need to be simulated once only. A folded graph has one rank for each class of
// such ranks; which ranks are alike is found in simulator/folding.
#pragma once

#include <cstdint>
#include <vector>

#include "simulator/base/ids.hpp"

namespace moesim::graph {

// A partition of the ranks of a job. Classes are numbered in the order of their first ranks.
struct Folding {
  std::vector<std::uint32_t> class_of; // per rank of the job
  std::vector<RankId> representative;  // per class: its first rank
  std::vector<std::uint32_t> size;     // per class: how many ranks it has

  bool operator==(const Folding&) const = default;
};

// Every rank is a class of its own.
[[nodiscard]] Folding unfolded(std::uint32_t rank_count);

} // namespace moesim::graph
