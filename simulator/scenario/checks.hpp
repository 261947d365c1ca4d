// Do the sections of a scenario fit together? One file, because each check concerns two sections.
#pragma once

#include "simulator/config/map_reader.hpp"
#include "simulator/scenario/scenario.hpp"

namespace moesim::scenario {

// The sections as written: where a problem is shown.
struct Sections {
  config::MapReader& parallel;
  config::MapReader& work; // training or inference
  config::MapReader& moe;
};

void check_world(const Scenario& scenario, Sections at);
void check_model_splits(const Scenario& scenario, Sections at);
void check_experts(const Scenario& scenario, Sections at); // do the ranks have places for them
// Of training.
void check_schedule(const workloads::TrainingJob& job, Sections at);
// Once it is known that the order can be made: whether its transfers can be posted as the scenario says.
void check_order(const workloads::TrainingJob& job, Sections at);
void check_batch(const Scenario& scenario, Sections at);
void check_overlap(const workloads::TrainingJob& job, Sections at); // is there anything to overlap
void check_amounts(const Scenario& scenario, Sections at);
void check_size(const Scenario& scenario, Sections at);

// Folded, at least one of each pipeline stage; how many it is in the end, a run finds out.
[[nodiscard]] double fewest_simulated_ranks(const Scenario& scenario);

void check_overlap(const workloads::InferenceJob& job, Sections at);
void check_inference_batch(const workloads::InferenceJob& job, Sections at);
void check_inference_amounts(const workloads::InferenceJob& job, Sections at);
void check_inference_size(const Scenario& scenario, Sections at);

} // namespace moesim::scenario
