#include <algorithm>
#include <memory>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "simulator/base/format.hpp"
#include "simulator/cli/commands.hpp"
#include "simulator/cli/terminal.hpp"
#include "simulator/scenario/memory_advice.hpp"
#include "simulator/scenario/scenario.hpp"
#include "simulator/screen/screen.hpp"
#include "workloads/iteration_size.hpp"
#include "workloads/stage_memory.hpp"

namespace moesim::cli {
namespace {

struct CheckOptions {
  std::string scenario;
  std::vector<std::string> assignments;
};

// "# iteration: 32 micro-batches a replica, 65,536 tokens, 1.2 PFLOP in 1,234 tasks"
std::string amounts_line(const workloads::TrainingJob& job) {
  return fmt::format(
      "# iteration: {} micro-batches a replica, {} tokens, {} in {} tasks\n", job.training.micro_batches(job.sizes),
      format_count(static_cast<std::int64_t>(job.training.tokens())),
      format_flops(Flops(workloads::model_flops(job.model, job.training.tokens(), job.training.seq_length))),
      format_count(workloads::row_count(job)));
}

std::string amounts_line(const workloads::InferenceJob& job) {
  const workloads::Inference& inference = job.inference;
  const Bytes cache = workloads::kv_cache_bytes(job);
  return fmt::format("# batch: {} micro-batches a replica, {} prompt and {} output tokens, {} in {} tasks\n"
                     "# KV cache: {} on the fullest GPU at the end\n",
                     inference.micro_batches(job.sizes),
                     format_count(static_cast<std::int64_t>(inference.tokens() - inference.output_tokens())),
                     format_count(static_cast<std::int64_t>(inference.output_tokens())),
                     format_flops(Flops(workloads::inference_flops(job))), format_count(workloads::row_count(job)),
                     format_bytes(cache));
}

// "# lower bound: 23.1 ms an iteration, with every link to itself"
std::string bound_line(const scenario::Scenario& scenario) {
  screen::Screen screen(scenario.cluster, scenario.rank_order, scenario.network);
  const Seconds bound = std::visit([&](const auto& job) { return screen.lower_bound(job); }, scenario.work);
  return fmt::format("# lower bound: {} {}, with every link to itself\n", format_seconds(bound),
                     scenario.is_training() ? "an iteration" : "a batch");
}

// "# stage 0: 12.3 GiB = weights 1.2 GiB + gradients 2.4 GiB + ...", at the fullest moment.
std::string memory_line(std::size_t stage, const graph::MemoryUse& memory) {
  std::vector<std::string> parts;
  for (std::size_t at = 0; at < graph::memory_count; ++at)
    if (const Bytes bytes = memory[static_cast<graph::Memory>(at)]; bytes > Bytes())
      parts.push_back(fmt::format("{} {}", name_of(static_cast<graph::Memory>(at)), format_bytes(bytes)));
  return fmt::format("# stage {}: {} = {}\n", stage, format_bytes(memory.total()), fmt::join(parts, " + "));
}

// Everything besides the scenario is a YAML comment, so that the output is a scenario, too.
int check(const CheckOptions& options) {
  const scenario::Scenario scenario = scenario::load(options.scenario, options.assignments);
  warn(scenario.warnings);
  const workloads::Job& job = scenario.job();
  fmt::print("{}\n", scenario::resolved_yaml(scenario));
  fmt::print("# parameters: {:.4g} B, of which {:.4g} B are active for a token ({})\n",
             workloads::total_parameters(job.model) / 1e9, workloads::active_parameters(job.model) / 1e9,
             workloads::embeddings_counted(job.model));
  fmt::print("# layout: {} of {} GPUs{}\n", format_count(job.sizes.world()), format_count(scenario.cluster.gpu_count()),
             job.model.moe ? fmt::format("; replicas of an expert: {}", job.sizes.edp()) : "");
  fmt::print("{}", std::visit([](const auto& of) { return amounts_line(of); }, scenario.work));
  fmt::print("{}", bound_line(scenario));
  Bytes fullest;
  const workloads::Layout layout(job.sizes, scenario.rank_order);
  const std::int64_t gpus_per_node = scenario.cluster.gpus_per_node;
  const std::vector<workloads::StageMemory> stages =
      std::visit([&](const auto& of) { return workloads::stage_memories(of, expert_loads(of, layout, gpus_per_node)); },
                 scenario.work);
  for (std::size_t stage = 0; stage < stages.size(); ++stage) {
    fmt::print("{}", memory_line(stage, stages[stage].at_peak));
    fullest = std::max(fullest, stages[stage].at_peak.total());
  }
  const Bytes capacity = scenario.cluster.gpu.usable_memory();
  const bool fits = fullest <= capacity;
  fmt::print("# memory: {} of {} on the fullest GPU; it {}\n", format_bytes(fullest), format_bytes(capacity),
             fits ? "fits" : fmt::format("does not fit, by {}", format_bytes(fullest - capacity)));
  if (!fits)
    for (const scenario::MemoryAdvice& advice : scenario::memory_advice(options.scenario, options.assignments))
      fmt::print("#   {} with {}\n", format_bytes(advice.peak), fmt::join(advice.assignments, " and "));
  return fits ? 0 : 1;
}

} // namespace

void add_check(CLI::App& app, int& status) {
  const auto options = std::make_shared<CheckOptions>();
  CLI::App* command = app.add_subcommand("check", "Validate a scenario, print it with every default, estimate memory");
  command->add_option("scenario", options->scenario, "Scenario file (YAML)")->required();
  command->add_option("--set", options->assignments, "Replace a field: path.to.field=value (any YAML value)")
      ->take_all()
      ->allow_extra_args(false);
  command->callback([options, &status] { status = check(*options); });
}

} // namespace moesim::cli
