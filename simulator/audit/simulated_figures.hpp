// What a run says of the quantities that claims are about.
#pragma once

#include <map>
#include <string>

#include "simulator/record/run_record.hpp"
#include "simulator/scenario/scenario.hpp"

namespace moesim::audit {

// Figures in base units, by the quantity's name. What a run cannot have (time to first token of training) is absent.
using SimulatedFigures = std::map<std::string, double, std::less<>>;

// `run` is of `scenario`.
[[nodiscard]] SimulatedFigures simulated_figures(const record::RunRecord& run, const scenario::Scenario& scenario);

} // namespace moesim::audit
