// From a checked scenario to everything that happened: the whole path in one call.
#pragma once

#include "simulator/execution/executor.hpp"
#include "simulator/folding/fold.hpp"
#include "simulator/graph/task_graph.hpp"
#include "simulator/record/run_record.hpp"
#include "simulator/scenario/scenario.hpp"

namespace moesim::run {

// The task graph of one iteration of the scenario (or of its one batch), every rank in it.
[[nodiscard]] graph::TaskGraph task_graph(const scenario::Scenario& scenario);

// Which ranks of the scenario behave alike; every rank by itself where the scenario says so.
[[nodiscard]] folding::Fold fold(const scenario::Scenario& scenario);

// How many rows of tasks a run of the scenario simulates: what the time that it takes grows with.
[[nodiscard]] double simulated_rows(const scenario::Scenario& scenario);

// Folds the ranks unless the scenario says otherwise, builds the graph, runs it on SimGrid and records it. Once per
// process (SimGrid's limit). `progress` may throw to stop. RunRecord::summary_json is left empty: analysis fills it in.
[[nodiscard]] record::RunRecord simulate(const scenario::Scenario& scenario, const execution::Progress& progress);

// The same with an executor of the caller's choice.
[[nodiscard]] record::RunRecord simulate(const scenario::Scenario& scenario, execution::Executor& executor,
                                         const execution::Progress& progress);

} // namespace moesim::run
