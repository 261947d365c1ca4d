#include "simulator/run/simulate.hpp"

#include <numeric>

#include <fmt/format.h>

#include "simulator/base/input_error.hpp"
#include "simulator/cost/cost_table.hpp"
#include "simulator/execution/simgrid_executor.hpp"
#include "simulator/run/expert_record.hpp"
#include "simulator/run/recorder.hpp"
#include "simulator/run/series.hpp"
#include "simulator/run/token_times.hpp"
#include "workloads/iteration_size.hpp"

namespace moesim::run {
namespace {

workloads::Layout layout_of(const scenario::Scenario& scenario) {
  return workloads::Layout(scenario.job().sizes, scenario.rank_order);
}

workloads::ExpertLoads loads_of(const scenario::Scenario& scenario, const workloads::Layout& layout) {
  return std::visit(
      [&](const auto& job) { return workloads::expert_loads(job, layout, scenario.cluster.gpus_per_node); },
      scenario.work);
}

graph::Programs programs_of(const scenario::Scenario& scenario, const workloads::ExpertLoads& loads) {
  return scenario.is_training() ? workloads::training_iteration(scenario.training_job(), loads)
                                : workloads::inference_run(scenario.inference_job(), loads);
}

graph::Programs programs_of(const scenario::Scenario& scenario) {
  return programs_of(scenario, loads_of(scenario, layout_of(scenario)));
}

record::RankTable rank_table(const scenario::Scenario& scenario, const graph::Folding& folding) {
  const workloads::Layout layout = layout_of(scenario);
  record::RankTable table;
  for (std::uint32_t rank = 0; rank < layout.world_size(); ++rank) {
    const workloads::Coordinates at = layout.coordinates(RankId(rank));
    table.node.push_back(static_cast<std::uint32_t>(scenario.cluster.node_of(rank)));
    table.tp.push_back(static_cast<std::uint32_t>(at.tp));
    table.cp.push_back(static_cast<std::uint32_t>(at.cp));
    table.dp.push_back(static_cast<std::uint32_t>(at.dp));
    table.pp.push_back(static_cast<std::uint32_t>(at.pp));
    table.etp.push_back(static_cast<std::uint32_t>(at.etp));
    table.ep.push_back(static_cast<std::uint32_t>(at.ep));
    table.edp.push_back(static_cast<std::uint32_t>(at.edp));
    table.representative.push_back(folding.representative[folding.class_of[rank]].value());
  }
  return table;
}

void add_amounts(record::RunFigures& figures, const workloads::TrainingJob& job) {
  figures.tokens_per_iteration = job.training.tokens();
  figures.model_flops = workloads::model_flops(job.model, job.training.tokens(), job.training.seq_length);
  figures.hardware_flops = figures.model_flops * workloads::recompute_factor(job);
}

void add_amounts(record::RunFigures& figures, const workloads::InferenceJob& job) {
  figures.tokens_per_iteration = job.inference.tokens();
  figures.model_flops = workloads::inference_flops(job);
  figures.hardware_flops = figures.model_flops;
  figures.output_tokens = job.inference.output_tokens();
  figures.kv_cache = workloads::kv_cache_bytes(job).value();
}

record::RunFigures figures(const scenario::Scenario& scenario, const record::ExpertLoad& experts, Seconds makespan) {
  record::RunFigures result;
  result.name = scenario.name;
  result.scenario_text = scenario.text;
  result.resolved_scenario = scenario::resolved_yaml(scenario);
  result.seed = scenario.seed;
  result.makespan = makespan.value();
  std::visit([&](const auto& job) { add_amounts(result, job); }, scenario.work);
  result.peak_flops_per_gpu = platforms::peak_of(scenario.cluster.gpu, scenario.precision()).value();
  result.memory_capacity = scenario.cluster.gpu.usable_memory().value();
  result.total_parameters = workloads::total_parameters(scenario.job().model);
  result.active_parameters = workloads::active_parameters(scenario.job().model);
  result.routed_tokens = std::accumulate(experts.tokens.begin(), experts.tokens.end(), 0.0);
  result.dropped_tokens = std::accumulate(experts.dropped.begin(), experts.dropped.end(), 0.0);
  result.computed_tokens = result.routed_tokens - result.dropped_tokens;
  return result;
}

folding::Fold fold_of(const scenario::Scenario& scenario, const graph::Programs& programs,
                      const workloads::Layout& layout) {
  return scenario.symmetry == scenario::Symmetry::Auto
             ? folding::fold(programs, layout, scenario.cluster, scenario.network)
             : folding::unfolded(layout, scenario.cluster);
}

// How many rows the tasks of these ranks have.
double row_count(const graph::Programs& programs, const graph::Membership& membership) {
  double rows = 0;
  for (std::size_t stage = 0; stage < programs.stages.size(); ++stage)
    rows += static_cast<double>(programs.stages[stage].steps().size() * membership.stages[stage].size());
  return rows;
}

// How many classes there are is known only now.
void check_size(const scenario::Scenario& scenario, const graph::Programs& programs, const folding::Fold& fold) {
  const double rows = row_count(programs, fold.membership);
  if (rows > scenario::most_rows)
    throw InputError(
        {scenario.file}, "simulation.symmetry",
        fmt::format("{} GPUs that do not behave alike make {:.3g} tasks, and one run takes at most {:.1g}; use a "
                    "smaller batch, or GPUs that differ less (moesim dump classes says by what)",
                    fold.membership.folding.size.size(), rows, scenario::most_rows));
}

// What only training, or only inference, says of its timeline.
void add_tokens(record::RunRecord& run, const workloads::TrainingJob& job, const record::TaskTable& table,
                const workloads::Layout& layout, const graph::Folding& folding) {
  run.throughput = throughput(table, job, layout, folding, Seconds(run.figures.makespan));
}

void add_tokens(record::RunRecord& run, const workloads::InferenceJob& job, const record::TaskTable& table,
                const workloads::Layout& layout, const graph::Folding& folding) {
  const TokenTimes tokens = token_times(table, job, layout, folding);
  run.throughput = throughput(tokens, job, Seconds(run.figures.makespan));
  run.figures.ttft = time_to_first_token(tokens).value();
  run.figures.tpot = time_per_output_token(tokens).value();
}

} // namespace

folding::Fold fold(const scenario::Scenario& scenario) {
  return fold_of(scenario, programs_of(scenario), layout_of(scenario));
}

double simulated_rows(const scenario::Scenario& scenario) {
  const graph::Programs programs = programs_of(scenario);
  return row_count(programs, fold_of(scenario, programs, layout_of(scenario)).membership);
}

graph::TaskGraph task_graph(const scenario::Scenario& scenario) {
  const graph::Programs programs = programs_of(scenario);
  const graph::Membership everybody = layout_of(scenario).membership();
  const double rows = row_count(programs, everybody);
  if (rows > scenario::most_rows)
    throw InputError({scenario.file}, "parallel",
                     fmt::format("{} GPUs make {:.3g} tasks, and the graph of all has at most {:.1g}; use a smaller "
                                 "batch, or fewer GPUs",
                                 everybody.folding.size.size(), rows, scenario::most_rows));
  return graph::expand(programs, everybody);
}

record::RunRecord simulate(const scenario::Scenario& scenario, execution::Executor& executor,
                           const execution::Progress& progress) {
  const workloads::Layout layout = layout_of(scenario);
  const workloads::ExpertLoads loads = loads_of(scenario, layout);
  const graph::Programs programs = programs_of(scenario, loads);
  const folding::Fold fold = fold_of(scenario, programs, layout);
  check_size(scenario, programs, fold);
  const graph::TaskGraph graph = graph::expand(programs, fold.membership);
  const execution::Costs costs =
      cost::cost_table(graph, fold.class_of_trunk, scenario.cluster, scenario.network, scenario.launch);
  Recorder recorder(graph, costs);
  const Seconds makespan = executor.run(graph, costs, recorder, progress);

  record::RunRecord run;
  run.tasks = recorder.timeline();
  run.dependencies = recorder.dependencies();
  const auto stages = std::visit([](const auto& job) { return workloads::stage_memories(job); }, scenario.work);
  run.memory = replay_memory(run.tasks, graph, stages, layout);
  run.links = recorder.link_load();
  run.experts = expert_record(scenario, loads);
  run.ranks = rank_table(scenario, graph.folding());
  for (const folding::Split& split : fold.splits) {
    run.symmetry.attributes.push_back(split.attribute);
    run.symmetry.classes.push_back(split.classes);
  }
  run.figures = figures(scenario, run.experts, makespan);
  std::visit([&](const auto& job) { add_tokens(run, job, run.tasks, layout, graph.folding()); }, scenario.work);
  return run;
}

record::RunRecord simulate(const scenario::Scenario& scenario, const execution::Progress& progress) {
  execution::SimGridExecutor executor;
  return simulate(scenario, executor, progress);
}

} // namespace moesim::run
