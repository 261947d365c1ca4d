// Reads the sections of a scenario, each by itself: defaults are filled in, what cannot be is noted as a problem.
// Whether the sections fit together is checked afterwards (checks.hpp).
#pragma once

#include "simulator/config/map_reader.hpp"
#include "simulator/scenario/scenario.hpp"

namespace moesim::scenario {

// `scenario.cluster` has been read: the default of dp is what its GPUs allow.
void read_parallel(config::MapReader& map, Scenario& scenario);
void read_training(config::MapReader& map, workloads::Training& training);
// Requires the degrees of parallelism: they decide the default of micro_batch_size.
void read_inference(config::MapReader& map, const workloads::ParallelSizes& sizes, workloads::Inference& inference);
void read_moe(config::MapReader map);
void read_simulation(config::MapReader map, Scenario& scenario);

} // namespace moesim::scenario
