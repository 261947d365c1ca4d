// Which replicas of an expert the tokens of a source go to.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "schedulers/expert_placement.hpp"

namespace moesim::schedulers {

// Even: over all replicas alike. NodeFirst: over those on the source's node, if there are any, else over all.
enum class ReplicaChoice : std::uint8_t { Even, NodeFirst };

// Token copies per slot, of a source (a rank of the placement's group) that sends `copies[expert]`. What does not
// divide goes to the replicas in turn, with a start that differs by source, so that equal sources fill a slot evenly.
[[nodiscard]] std::vector<std::int64_t> split_over_replicas(std::span<const std::int64_t> copies,
                                                            const ExpertPlacement& placement, std::int64_t source,
                                                            ReplicaChoice choice = ReplicaChoice::Even,
                                                            std::int64_t nodes = 1);

} // namespace moesim::schedulers
