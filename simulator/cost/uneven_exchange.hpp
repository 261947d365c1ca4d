// Tokens on their way to experts that are not all as well liked, and back: all-to-all, dispatch and combine of a group
// whose members are not alike.
#pragma once

#include <span>

#include "simulator/cost/communication.hpp"

namespace moesim::cost {

// Requires the call to have a token matrix, with a row for each member. An all-to-all sends all messages at once,
// whatever algorithm is named (all_to_all_v()). Dispatch and combine are DeepEP's, whatever others are named: by its
// normal kernels, or, if that is faster or named, by those of low latency. Equal rows and columns cost what they do for
// members that are alike.
[[nodiscard]] Plan uneven_exchange(const Call& call, std::span<const RankId> members,
                                   const platforms::Cluster& cluster);

} // namespace moesim::cost
