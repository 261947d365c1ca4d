#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "schedulers/chunk_placement.hpp"
#include "simulator/scenario/field_choices.hpp"
#include "simulator/scenario/sections.hpp"
#include "workloads/pipeline_layout.hpp"

namespace moesim::scenario {
namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 8> megatron_names{{
    {"tensor_model_parallel_size", "tp"},
    {"context_parallel_size", "cp"},
    {"pipeline_model_parallel_size", "pp"},
    {"virtual_pipeline_model_parallel_size", "vpp"},
    {"expert_model_parallel_size", "ep"},
    {"expert_tensor_parallel_size", "etp"},
    {"data_parallel_size", "dp"},
    {"pipeline_model_parallel_layout", "layout"},
}};

// Listed, or as a layout string; neither: equally many.
std::vector<std::int64_t> read_stages(config::MapReader& map) {
  const std::vector<std::int64_t> listed = map.integers_or_empty("layers_per_stage", {.min = 0, .max = 1'000'000});
  const std::string text = map.text_or("layout", "");
  if (!map.has("layout"))
    return listed;
  if (map.has("layers_per_stage"))
    map.problem("layout", "layers_per_stage says the same; keep one of the two");
  if (text.empty())
    return listed;
  const workloads::PipelineLayout layout = workloads::read_pipeline_layout(text);
  for (const std::string& problem : layout.problems)
    map.problem("layout", problem);
  return layout.problems.empty() ? layout.layers_per_stage : listed;
}

} // namespace

std::string_view short_name(std::string_view parallel_field) {
  for (const auto& [alias, key] : megatron_names)
    if (parallel_field == alias)
      return key;
  return parallel_field;
}

void read_parallel(config::MapReader& map, Scenario& scenario) {
  for (const auto& [alias, key] : megatron_names)
    map.alias(alias, key);
  workloads::ParallelSizes& sizes = scenario.job().sizes;
  sizes.tp = map.integer_or("tp", 1, degree);
  sizes.cp = map.integer_or("cp", 1, degree);
  sizes.pp = map.integer_or("pp", 1, degree);
  sizes.vpp = map.integer_or("vpp", 0, {.min = 1, .max = schedulers::most_chunks}); // 0: the schedule decides
  sizes.ep = map.integer_or("ep", 1, degree);
  sizes.etp = map.integer_or("etp", 1, degree);
  scenario.job().layers_per_stage = read_stages(map);
  // As many stages as a multiple of pp are chunks, as in Megatron Core.
  const auto stages = static_cast<std::int64_t>(scenario.job().layers_per_stage.size());
  if (sizes.vpp == 0 && stages > sizes.pp && stages % sizes.pp == 0 && stages / sizes.pp <= schedulers::most_chunks)
    sizes.vpp = stages / sizes.pp;
  if (!scenario.is_training()) {
    if (sizes.vpp > 1)
      map.problem(map.has("vpp")      ? "vpp"
                  : map.has("layout") ? "layout"
                                      : "layers_per_stage",
                  "chunks of a stage are for training; use 1 for each stage");
    sizes.vpp = 1;
  }
  if (scenario.is_training())
    scenario.training_job().training.cp_comm_type = enum_choice(
        map, "cp_comm_type",
        std::array{workloads::CpCommType::P2p, workloads::CpCommType::AllGather, workloads::CpCommType::A2a});
  const std::int64_t rest = std::max<std::int64_t>(1, scenario.cluster.gpu_count() / (sizes.tp * sizes.cp * sizes.pp));
  sizes.dp = map.integer_or("dp", rest, degree);
  // In inference only experts beyond a tensor-parallel group, whose tokens are spread over tp, want it: elsewhere vLLM
  // and TensorRT-LLM all-reduce.
  const bool is_usual = scenario.is_training() || scenario.job().model.moe.has_value();
  scenario.job().sequence_parallel = map.boolean_or("sequence_parallel", is_usual && sizes.tp > 1) && sizes.tp > 1;
  scenario.rank_order = map.text_or("order", workloads::default_rank_order);
}

} // namespace moesim::scenario
