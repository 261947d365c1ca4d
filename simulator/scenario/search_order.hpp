// The order of passes of schedules that are searched for (zb-auto): for what passes take on the scenario's cluster, and
// as many micro-batches in flight as its GPUs have memory for.
#pragma once

#include "simulator/scenario/scenario.hpp"

namespace moesim::scenario {

// Fills in max_in_flight, unless it is given, and order. Requires everything else to be checked; does nothing under
// other schedules.
void search_order(Scenario& scenario);

} // namespace moesim::scenario
