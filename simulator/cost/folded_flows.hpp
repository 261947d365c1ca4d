// What remains of a communication's flows when ranks are folded.
#pragma once

#include "simulator/execution/executor.hpp"
#include "simulator/graph/folding.hpp"

namespace moesim::cost {

// Links of GPUs become links of classes of GPUs (class * links_per_gpu + kind), and flows that are then alike become
// one. A link of a class is crossed as often as each link that it stands for.
[[nodiscard]] execution::Communication folded(execution::Communication communication, const graph::Folding& folding);

} // namespace moesim::cost
