// Do the sections of a scenario fit together? One file, because each check concerns two sections.
#pragma once

#include "simulator/config/map_reader.hpp"
#include "simulator/scenario/scenario.hpp"

namespace moesim::scenario {

// The sections as written: where a problem is shown.
struct Sections {
  config::MapReader& parallel;
  config::MapReader& training;
};

void check_world(const Scenario& scenario, Sections at);
void check_model_splits(const Scenario& scenario, Sections at);
void check_batch(const Scenario& scenario, Sections at);
void check_amounts(const Scenario& scenario, Sections at);
void check_size(const Scenario& scenario, Sections at);

} // namespace moesim::scenario
