// A bound, and what it is compared with: the simulated time of a scenario.
#pragma once

#include <variant>

#include "simulator/screen/screen.hpp"
#include "tests/run/makespan.hpp"

namespace moesim::screen {

using run::ideal_time;
using run::simulated_time;

inline Seconds bound_of(const scenario::Scenario& scenario) {
  Screen screen(scenario.cluster, scenario.rank_order, scenario.network);
  return std::visit([&](const auto& job) { return screen.lower_bound(job); }, scenario.work);
}

} // namespace moesim::screen
