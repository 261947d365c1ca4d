#include "analysis/summary.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace moesim::analysis {
namespace {

double ratio(double part, double whole) {
  return whole > 0 ? part / whole : 0;
}

void add_rates(Summary& summary, const record::RunFigures& figures) {
  const auto gpus = static_cast<double>(summary.world_size);
  summary.iteration_time_s = figures.makespan;
  summary.tokens_per_s = ratio(figures.tokens_per_iteration, figures.makespan);
  summary.tokens_per_s_per_gpu = ratio(summary.tokens_per_s, gpus);
  const double flops_per_s_per_gpu = ratio(figures.model_flops, figures.makespan * gpus);
  summary.model_tflops_per_gpu = flops_per_s_per_gpu / 1e12;
  summary.mfu = ratio(flops_per_s_per_gpu, figures.peak_flops_per_gpu);
  summary.hfu = summary.mfu * ratio(figures.hardware_flops, figures.model_flops);
}

void add_sizes(Summary& summary, const record::RunRecord& run) {
  summary.world_size = static_cast<std::int64_t>(run.ranks.size());
  std::vector<std::int64_t> rows(run.ranks.size(), 0);
  for (const std::uint32_t rank : run.tasks.rank)
    ++rows[rank];
  for (std::uint32_t rank = 0; rank < run.ranks.size(); ++rank) {
    summary.tasks += rows[run.ranks.representative[rank]];
    if (run.ranks.representative[rank] == rank)
      ++summary.simulated_ranks;
  }
}

void add_time(Summary& summary, const record::RunRecord& run) {
  const TimeBudgets budgets = time_budgets(run);
  summary.time = budgets.mean;
  summary.bubble_fraction = ratio(budgets.mean.bubble(), budgets.mean.makespan);
  summary.exposed_communication_fraction = ratio(budgets.mean.exposed_communication(), budgets.mean.makespan);
  summary.stages = budgets.stages;
  summary.slowest_stage = static_cast<std::uint32_t>(
      std::ranges::max_element(summary.stages, {}, &TimeBudget::compute) - summary.stages.begin());
}

// What the fullest rank does in a layer from `time` on: what it takes memory for.
void add_peak_moment(Summary& summary, const record::RunRecord& run, double time) {
  const record::RowRange rows = record::rows_of(run, summary.peak_memory_rank);
  for (std::size_t row = rows.first; row < rows.last; ++row)
    if (run.tasks.start[row] >= time && run.tasks.layer[row] >= 0) {
      summary.peak_memory_layer = run.tasks.layer[row];
      summary.peak_memory_micro_batch = run.tasks.micro_batch[row];
      return;
    }
}

// The fullest moment of the fullest rank; of equals, the first rank and the first moment.
void add_memory(Summary& summary, const record::RunRecord& run) {
  const record::MemorySeries& memory = run.memory;
  std::size_t fullest = memory.time.size();
  for (std::size_t row = 0; row < memory.time.size(); ++row) {
    double total = 0;
    for (const std::vector<double>& bytes : memory.bytes)
      total += bytes[row];
    if (total > summary.peak_memory_bytes) {
      summary.peak_memory_bytes = total;
      fullest = row;
    }
  }
  summary.memory_capacity_bytes = run.figures.memory_capacity;
  summary.fits = summary.peak_memory_bytes <= summary.memory_capacity_bytes;
  if (fullest == memory.time.size())
    return;
  summary.peak_memory_rank = memory.rank[fullest];
  add_peak_moment(summary, run, memory.time[fullest]);
  for (std::size_t i = 0; i < memory.categories.size(); ++i)
    summary.peak_memory.push_back({memory.categories[i], memory.bytes[i][fullest]});
}

std::optional<InferenceFigures> inference_figures(const record::RunFigures& figures) {
  if (figures.output_tokens == 0)
    return {};
  return InferenceFigures{figures.ttft, figures.tpot > 0 ? std::optional(figures.tpot) : std::nullopt,
                          ratio(figures.output_tokens, figures.makespan), figures.kv_cache};
}

nlohmann::ordered_json bubbles_json(const TimeBudget& time) {
  constexpr std::array<const char*, bubble_cause_count> keys{"warm_up_s",        "neighbour_s", "stage_imbalance_s",
                                                             "rank_imbalance_s", "cool_down_s", "optimizer_tail_s"};
  nlohmann::ordered_json json;
  for (std::size_t i = 0; i < keys.size(); ++i)
    json[keys[i]] = time.bubbles[i];
  return json;
}

} // namespace

Summary summarize(const record::RunRecord& run) {
  Summary summary;
  summary.name = run.figures.name;
  summary.symmetry = run.symmetry;
  add_sizes(summary, run);
  add_rates(summary, run.figures);
  add_time(summary, run);
  add_memory(summary, run);
  summary.inference = inference_figures(run.figures);
  if (run.experts.experts > 0)
    summary.experts = expert_figures(run);
  return summary;
}

std::string to_json(const Summary& summary) {
  nlohmann::ordered_json json{
      {"iteration_time_s", summary.iteration_time_s},
      {"tokens_per_s", summary.tokens_per_s},
      {"tokens_per_s_per_gpu", summary.tokens_per_s_per_gpu},
      {"model_tflops_per_gpu", summary.model_tflops_per_gpu},
      {"mfu", summary.mfu},
      {"hfu", summary.hfu},
      {"bubble_fraction", summary.bubble_fraction},
      {"exposed_communication_fraction", summary.exposed_communication_fraction},
      {"peak_memory_bytes", summary.peak_memory_bytes},
      {"memory_capacity_bytes", summary.memory_capacity_bytes},
      {"fits", summary.fits},
      {"world_size", summary.world_size},
      {"simulated_ranks", summary.simulated_ranks},
      {"tasks", summary.tasks},
  };
  json["bubbles"]["total"] = bubbles_json(summary.time);
  json["bubbles"]["stages"] = nlohmann::ordered_json::array();
  for (const TimeBudget& stage : summary.stages)
    json["bubbles"]["stages"].push_back(bubbles_json(stage));
  json["symmetry"] = nlohmann::ordered_json::array();
  for (std::size_t at = 0; at < summary.symmetry.attributes.size(); ++at)
    json["symmetry"].push_back(
        {{"attribute", summary.symmetry.attributes[at]}, {"classes", summary.symmetry.classes[at]}});
  if (summary.inference) {
    json["ttft_s"] = summary.inference->ttft_s;
    json["tpot_s"] = summary.inference->tpot_s ? nlohmann::ordered_json(*summary.inference->tpot_s) : nullptr;
    json["output_tokens_per_s"] = summary.inference->output_tokens_per_s;
    json["kv_cache_bytes"] = summary.inference->kv_cache_bytes;
  }
  if (summary.experts) {
    json["load_max_over_mean"] = summary.experts->load_max_over_mean;
    json["routed_tokens"] = summary.experts->routed_tokens;
    json["computed_tokens"] = summary.experts->computed_tokens;
    json["dropped_tokens"] = summary.experts->dropped_tokens;
    json["load_cv"] = summary.experts->load_cv;
    json["rank_load_max_over_mean"] = summary.experts->rank_load_max_over_mean;
    json["rank_load_cv"] = summary.experts->rank_load_cv;
    json["moved_tokens"] = summary.experts->moved_tokens;
    json["moved_bytes"] = summary.experts->moved_bytes;
    json["imbalance_s"] = summary.experts->imbalance_s;
    json["expert_latency_p50_s"] = summary.experts->latency_p50_s;
    json["expert_latency_p99_s"] = summary.experts->latency_p99_s;
  }
  for (const MemoryAdvice& advice : summary.memory_advice)
    json["memory_advice"].push_back({{"set", advice.assignments},
                                     {"peak_memory_bytes", advice.peak_memory_bytes},
                                     {"fits", advice.peak_memory_bytes <= summary.memory_capacity_bytes}});
  return json.dump(2);
}

} // namespace moesim::analysis
