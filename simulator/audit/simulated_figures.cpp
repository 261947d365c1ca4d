#include "simulator/audit/simulated_figures.hpp"

#include <algorithm>
#include <initializer_list>
#include <string_view>

#include "analysis/activity.hpp"
#include "analysis/summary.hpp"

namespace moesim::audit {
namespace {

void add_rates(SimulatedFigures& figures, const analysis::Summary& summary, const scenario::Scenario& scenario) {
  const double sequences =
      static_cast<double>(scenario.is_training() ? scenario.training_job().training.global_batch_size
                                                 : scenario.inference_job().inference.batch_size);
  figures["gpus"] = static_cast<double>(summary.world_size);
  figures["iteration_time"] = summary.iteration_time_s;
  figures["tokens_per_s"] = summary.tokens_per_s;
  figures["tokens_per_s_per_gpu"] = summary.tokens_per_s_per_gpu;
  figures["sequences_per_s"] = sequences / summary.iteration_time_s;
  figures["mfu"] = summary.mfu;
  figures["recomputed_share"] = summary.hfu / summary.mfu - 1;
  if (summary.inference) {
    figures["ttft"] = summary.inference->ttft_s;
    if (summary.inference->tpot_s)
      figures["tpot"] = *summary.inference->tpot_s;
  }
  if (summary.experts)
    figures["expert_imbalance"] = summary.experts->load_max_over_mean - 1;
}

void add_shares(SimulatedFigures& figures, const analysis::Summary& summary) {
  const analysis::TimeBudget& time = summary.time;
  figures["compute_time"] = time.compute;
  figures["communication_time"] = time.exposed_communication();
  figures["compute_share"] = time.compute / time.makespan;
  figures["communication_share"] = summary.exposed_communication_fraction;
  figures["communication_per_compute"] = time.exposed_communication() / time.compute;
  figures["bubble_share"] = summary.bubble_fraction;
  double compute = 0;
  for (const analysis::TimeBudget& stage : summary.stages)
    compute += stage.compute / static_cast<double>(summary.stages.size());
  figures["stage_imbalance"] = summary.stages[summary.slowest_stage].compute / compute - 1;
}

void add_memory(SimulatedFigures& figures, const analysis::Summary& summary) {
  figures["memory"] = summary.peak_memory_bytes;
  if (summary.memory_capacity_bytes > 0)
    figures["memory_share"] = summary.peak_memory_bytes / summary.memory_capacity_bytes;
  for (const analysis::MemoryShare& part : summary.peak_memory) {
    const bool is_buffer = part.category == "communication" || part.category == "workspace";
    figures["memory_" + (is_buffer ? "communication" : part.category)] += part.bytes;
  }
}

// Calls visit(rank, how many ranks it stands for) for each that has rows.
template <class Visit>
void visit_simulated_ranks(const record::RankTable& ranks, Visit visit) {
  std::vector<double> members(ranks.size(), 0);
  for (const std::uint32_t representative : ranks.representative)
    ++members[representative];
  for (std::uint32_t rank = 0; rank < ranks.size(); ++rank)
    if (members[rank] > 0)
      visit(rank, members[rank]);
}

// Seconds in which at least one of the rank's transfers is under way. Rows are sorted by start.
double communicating(const record::RunRecord& run, std::uint32_t rank, const analysis::RowMeanings& meanings) {
  double busy = 0;
  double until = 0;
  const record::RowRange rows = record::rows_of(run, rank);
  for (std::size_t row = rows.first; row < rows.last; ++row) {
    if (meanings.is_compute(row))
      continue;
    busy += std::max(0.0, run.tasks.end[row] - std::max(until, run.tasks.start[row]));
    until = std::max(until, run.tasks.end[row]);
  }
  return busy;
}

void add_overlap(SimulatedFigures& figures, const record::RunRecord& run) {
  const analysis::RowMeanings meanings(run.tasks);
  double busy = 0;
  visit_simulated_ranks(run.ranks, [&](std::uint32_t rank, double members) {
    busy += members * communicating(run, rank, meanings) / static_cast<double>(run.ranks.size());
  });
  if (busy > 0)
    figures["hidden_communication"] = std::clamp(1 - figures["communication_time"] / busy, 0.0, 1.0);
}

// Device memory traffic of kernels, over what the memory could move in the same time.
void add_memory_traffic(SimulatedFigures& figures, const record::RunRecord& run, const platforms::Gpu& gpu) {
  const analysis::RowMeanings meanings(run.tasks);
  double bytes = 0; // of an average GPU
  visit_simulated_ranks(run.ranks, [&](std::uint32_t rank, double members) {
    const record::RowRange rows = record::rows_of(run, rank);
    for (std::size_t row = rows.first; row < rows.last; ++row)
      if (meanings.is_compute(row))
        bytes += members * run.tasks.bytes[row] / static_cast<double>(run.ranks.size());
  });
  figures["memory_bandwidth_share"] = bytes / (gpu.memory_bandwidth.value() * run.figures.makespan);
}

// Seconds of the tasks of these names in the first micro-batch's first way through the first stage.
double time_of_tasks(const record::RunRecord& run, std::initializer_list<std::string_view> names) {
  const auto contains = [](std::initializer_list<std::string_view> words, std::string_view word) {
    return std::ranges::find(words, word) != words.end();
  };
  double time = 0;
  const record::RowRange rows = record::rows_of(run, 0);
  for (std::size_t row = rows.first; row < rows.last; ++row)
    if (run.tasks.micro_batch[row] == 0 && contains({"forward", "prefill"}, run.tasks.phases[run.tasks.phase[row]]) &&
        contains(names, run.tasks.names[run.tasks.name[row]]))
      time += run.tasks.end[row] - run.tasks.start[row];
  return time;
}

} // namespace

SimulatedFigures simulated_figures(const record::RunRecord& run, const scenario::Scenario& scenario) {
  SimulatedFigures figures;
  const analysis::Summary summary = analysis::summarize(run);
  add_rates(figures, summary, scenario);
  add_shares(figures, summary);
  add_memory(figures, summary);
  add_overlap(figures, run);
  add_memory_traffic(figures, run, scenario.cluster.gpu);
  figures["attention_time"] = time_of_tasks(run, {"attention"});
  if (scenario.job().model.moe) {
    figures["expert_time"] = time_of_tasks(run, {"experts"});
    figures["routing_time"] = time_of_tasks(run, {"dispatch", "combine"});
  }
  return figures;
}

} // namespace moesim::audit
