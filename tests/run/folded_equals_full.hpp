// Folding is exact: what a folded run says of a rank or a link is what simulating every rank says of it.
#pragma once

#include <cstdint>

#include "simulator/scenario/scenario.hpp"

namespace moesim::run {

// Runs the scenario folded and with every rank, each on SimGrid in a process of its own, and compares the iteration
// time, every task's start and end on every rank, memory, link load and throughput. Times may differ by 1e-9 of the
// iteration time. Returns how many classes the folded run simulated.
std::uint32_t expect_folded_equals_full(scenario::Scenario scenario);

} // namespace moesim::run
