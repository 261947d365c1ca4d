// The `moe` section with every default visible.
#pragma once

#include <string>

#include "workloads/job.hpp"

namespace moesim::scenario {

[[nodiscard]] std::string moe_yaml(const workloads::MoeOptions& moe);

} // namespace moesim::scenario
