// Says in a few words why a rank idles.
#pragma once

#include <string>

#include "analysis/gantt_lanes.hpp"
#include "analysis/waits.hpp"

namespace moesim::analysis {

// Of an idle stretch of `rank`: what the task that ends it waited for, "waits for B3 on stage 2".
[[nodiscard]] std::string bubble_label(const record::RunRecord& run, const Waits& waits, std::uint32_t rank,
                                       const Stretch& idle);

} // namespace moesim::analysis
