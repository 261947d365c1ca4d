// How many of each member's tokens go to each other member and each node at least once, when it is known how many
// copies go to each expert. DeepEP sends a token once for all of its experts in one place.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "simulator/cost/group.hpp"
#include "simulator/graph/task_graph.hpp"

namespace moesim::cost {

// Tokens that reach a place: [source][place].
struct TokensThere {
  std::vector<std::vector<double>> member;
  std::vector<std::vector<double>> node; // in the order of Group::nodes()
};

// A token draws its k experts together, so that the chance of its missing a place is e_k(odds of experts elsewhere) /
// e_k(odds of all), e_k being the elementary symmetric polynomial, with the odds that make each expert's chance what it
// is: the draw of largest entropy (Chen, Dempster, Liu: Weighted finite population sampling to maximize entropy,
// Biometrika 81, 1994). With equal odds it is the hypergeometric chance. Where copies were dropped, experts are met
// independently of each other. A limit on groups makes places less likely by the power that it has where all experts
// are as well liked.
[[nodiscard]] TokensThere tokens_there(const graph::TokenMatrix& matrix, const graph::TokenRouting& routing,
                                       std::span<const RankId> members, const Group& group);

// The chance that a token goes to some of `own` experts in a row, all experts being as well liked: deepep.cpp.
[[nodiscard]] double even_chance(const graph::TokenRouting& routing, double own);

} // namespace moesim::cost
