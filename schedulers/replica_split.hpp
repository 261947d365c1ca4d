// Which replicas of an expert the tokens of a source go to: all, alike.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "schedulers/expert_placement.hpp"

namespace moesim::schedulers {

// Token copies per slot, of a source (a rank of the placement's group) that sends `copies[expert]`. What does not
// divide goes to the replicas in turn, with a start that differs by source, so that equal sources fill a slot evenly.
[[nodiscard]] std::vector<std::int64_t> split_over_replicas(std::span<const std::int64_t> copies,
                                                            const ExpertPlacement& placement, std::int64_t source);

} // namespace moesim::schedulers
