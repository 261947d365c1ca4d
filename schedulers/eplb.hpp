// DeepSeek's expert-parallelism load balancer (github.com/deepseek-ai/EPLB; DeepSeek-V3, arXiv 2412.19437, section
// 3.4.1): heavy experts get replicas, and replicas are packed onto ranks so that all carry about as much.
#pragma once

#include <span>

#include "schedulers/expert_placement.hpp"

namespace moesim::schedulers {

// Hierarchical: groups of experts are packed onto nodes, experts replicated within a node, replicas packed onto its
// ranks, so that a token that is limited to few groups goes to few nodes. It needs groups that the nodes divide.
// Global: replicated and packed onto all ranks without regard to nodes and groups.
enum class EplbPolicy : std::uint8_t { Global, Hierarchical };

// What EPLB picks by itself: hierarchical where the nodes divide the groups.
[[nodiscard]] EplbPolicy eplb_policy(const PlacementShape& shape);

// Replication gives the next replica to the expert with the most load per replica (the first of equals); packing takes
// items from the heaviest down (the first of equals) to the lightest pack that has room. The shape has no refusal().
[[nodiscard]] ExpertPlacement eplb_placement(const PlacementShape& shape, std::span<const double> expert_loads,
                                             EplbPolicy policy);

} // namespace moesim::schedulers
