#include "simulator/graph/folding.hpp"

namespace moesim::graph {

Folding unfolded(std::uint32_t rank_count) {
  Folding folding;
  folding.size.assign(rank_count, 1);
  for (std::uint32_t rank = 0; rank < rank_count; ++rank) {
    folding.class_of.push_back(rank);
    folding.representative.emplace_back(rank);
  }
  return folding;
}

} // namespace moesim::graph
