// Reads the sections of a scenario, each by itself: defaults are filled in, what cannot be is noted as a problem.
// Whether the sections fit together is checked afterwards (checks.hpp).
#pragma once

#include <filesystem>
#include <string_view>

#include "simulator/config/map_reader.hpp"
#include "simulator/scenario/scenario.hpp"

namespace moesim::scenario {

// The short name of a field of `parallel`, "tp" for "tensor_model_parallel_size"; of others the name itself.
[[nodiscard]] std::string_view short_name(std::string_view parallel_field);

// `scenario.cluster` has been read: the default of dp is what its GPUs allow.
void read_parallel(config::MapReader& map, Scenario& scenario);
// `job.model` has been read: it says how many modules for multi-token prediction there are unless this section does.
void read_training(config::MapReader& map, const std::filesystem::path& scenario_file, workloads::TrainingJob& job);
// Of the section `training`: what its kernels cost the host.
void read_launch_time(config::MapReader map, cost::LaunchTimes& launch);
// The schedule's name, or a map with it and what it takes. Requires the degrees of parallelism: chunks decide the
// default, and the schedule decides how many there are unless that is given.
// A file of a custom order is looked for beside the scenario's.
void read_schedule(config::MapReader& training, const std::filesystem::path& scenario_file,
                   workloads::TrainingJob& job);
// Requires the degrees of parallelism: they decide the default of micro_batch_size.
void read_inference(config::MapReader& map, const workloads::ParallelSizes& sizes, workloads::Inference& inference);
// The model, and `simulation.seed`, have been read.
void read_moe(config::MapReader& map, const std::filesystem::path& scenario_file, Scenario& scenario);
// Of the `moe` section: a name, or a map whose `type` is the name and whose other keys are that model's parameters.
void read_routing(config::MapReader& moe, const std::filesystem::path& scenario_file, Scenario& scenario);
void read_simulation(config::MapReader map, Scenario& scenario);

} // namespace moesim::scenario
