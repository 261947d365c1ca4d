#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "schedulers/custom_order.hpp"
#include "simulator/config/yaml_text.hpp"
#include "simulator/scenario/moe_yaml.hpp"
#include "simulator/scenario/network_streams.hpp"
#include "simulator/scenario/scenario.hpp"

namespace moesim::scenario {
namespace {

std::string parallel_yaml(const Scenario& scenario) {
  const workloads::ParallelSizes& sizes = scenario.job().sizes;
  return fmt::format(
      "parallel: {{tp: {}, cp: {}, pp: {}, vpp: {}, ep: {}, etp: {}, dp: {}, sequence_parallel: {}, "
      "{}order: {}{}}}\n",
      sizes.tp, sizes.cp, sizes.pp, sizes.vpp, sizes.ep, sizes.etp, sizes.dp, scenario.job().sequence_parallel,
      scenario.is_training() ? fmt::format("cp_comm_type: {}, ", name_of(scenario.training_job().training.cp_comm_type))
                             : "",
      scenario.rank_order,
      scenario.job().layers_per_stage.empty()
          ? ""
          : fmt::format(", layers_per_stage: [{}]", fmt::join(scenario.job().layers_per_stage, ", ")));
}

std::string schedule_yaml(const workloads::TrainingJob& job) {
  const workloads::Training& training = job.training;
  if (training.schedule == schedulers::custom_schedule_name)
    return fmt::format("{{type: {}, placement: {}, order: {}}}", training.schedule, schedulers::name_of(job.placement),
                       config::double_quoted(schedulers::describe(*training.order)));
  return training.max_in_flight == 0
             ? training.schedule
             : fmt::format("{{type: {}, max_in_flight: {}}}", training.schedule, training.max_in_flight);
}

std::string cuda_graph_yaml(const workloads::CudaGraphScope& scope) {
  using workloads::CudaGraphModule;
  if (scope == workloads::CudaGraphScope{})
    return "none";
  if (scope.contains(CudaGraphModule::FullIteration))
    return std::string(name_of(CudaGraphModule::FullIteration));
  std::vector<std::string_view> modules;
  for (std::size_t at = 0; at < workloads::cuda_graph_module_count; ++at)
    if (const auto module = static_cast<CudaGraphModule>(at); scope.contains(module))
      modules.push_back(name_of(module));
  return fmt::format("[{}]", fmt::join(modules, ", "));
}

std::string kernels_yaml(const workloads::Training& training, const cost::LaunchTimes& launch) {
  return fmt::format("  attention_backend: {}\n"
                     "  transformer_impl: {}\n"
                     "  attention_dropout: {}\n"
                     "  hidden_dropout: {}\n"
                     "  batch_first: {}\n"
                     "  repeat_kv: {}\n"
                     "  fused_projections: {}\n"
                     "  fp8_dot_product_attention: {}\n"
                     "  fp8_output_proj: {}\n"
                     "  scale_kernels: {}\n"
                     "  cross_entropy_loss_fusion: {}\n"
                     "  fp32_logits: {}\n"
                     "  train_metrics: {}\n"
                     "  fp8_scaling: {}\n"
                     "  tp_gather_in_fp8: {}\n"
                     "  moe_router_fusion: {}\n"
                     "  moe_permute_fusion: {}\n"
                     "  moe_activation: {}\n"
                     "  launch_time: {{forward: {}s, backward: {}s, step: {}s, waits_for_passes: {}}}\n"
                     "  cuda_graph_scope: {}\n",
                     name_of(training.attention_backend), name_of(training.transformer_impl),
                     training.attention_dropout, training.hidden_dropout, training.batch_first, training.repeat_kv,
                     training.fused_projections, training.fp8_dot_product_attention, training.fp8_output_proj,
                     name_of(training.scale_kernels), training.cross_entropy_loss_fusion, training.fp32_logits,
                     training.train_metrics, name_of(training.fp8_scaling), training.tp_gather_in_fp8,
                     training.moe_router_fusion, training.moe_permute_fusion, name_of(training.moe_activation),
                     launch.forward.value(), launch.backward.value(), launch.step.value(), launch.waits_for_passes,
                     cuda_graph_yaml(training.cuda_graph_scope));
}

std::string compression_yaml(const workloads::Training& training) {
  return training.grad_compression ? fmt::format("{{factor: {}}}", *training.grad_compression) : "none";
}

std::string training_yaml(const workloads::TrainingJob& job, const cost::LaunchTimes& launch) {
  const workloads::Training& training = job.training;
  return fmt::format("training:\n"
                     "  global_batch_size: {}\n"
                     "  micro_batch_size: {}\n"
                     "  seq_length: {}\n"
                     "  mtp_num_layers: {}\n"
                     "  precision: {}\n"
                     "  grad_reduce_in_fp32: {}\n"
                     "  main_params_dtype: {}\n"
                     "  exp_avg_dtype: {}\n"
                     "  exp_avg_sq_dtype: {}\n"
                     "  fused_optimizer: {}\n"
                     "  schedule: {}\n"
                     "  p2p: {}\n"
                     "  p2p_scatter_gather: {}\n"
                     "  recompute: {}\n"
                     "  recompute_early_stop: {}\n"
                     "  sharding: {}\n"
                     "  overlap: {}\n"
                     "  prefetch: {}\n"
                     "  backward_prefetch: {}\n"
                     "  copy_gathered_parameters: {}\n"
                     "  grad_compression: {}\n"
                     "  ddp_bucket_size: {}\n",
                     training.global_batch_size, training.micro_batch_size, training.seq_length, job.model.mtp_layers,
                     name_of(training.precision), training.grad_reduce_in_fp32, name_of(training.optimizer.main_params),
                     name_of(training.optimizer.exp_avg), name_of(training.optimizer.exp_avg_sq),
                     training.fused_optimizer, schedule_yaml(job), workloads::name_of(training.p2p),
                     training.p2p_scatter_gather, yaml_of(training.recompute), training.recompute_early_stop,
                     workloads::name_of(training.sharding), yaml_of(training.overlap), training.prefetch,
                     workloads::name_of(training.backward_prefetch), training.copy_gathered_parameters,
                     compression_yaml(training), training.bucket_size(job.sizes)) +
         kernels_yaml(training, launch);
}

std::string inference_yaml(const workloads::Inference& inference) {
  return fmt::format("inference:\n"
                     "  batch_size: {}\n"
                     "  micro_batch_size: {}\n"
                     "  prompt_length: {}\n"
                     "  output_length: {}\n"
                     "  precision: {}\n"
                     "  weight_precision: {}\n"
                     "  expert_precision: {}\n"
                     "  expert_weight_precision: {}\n"
                     "  kv_cache_precision: {}\n"
                     "  kv_block_size: {}\n"
                     "  overlap: {{two_batch: {}}}\n",
                     inference.batch_size, inference.micro_batch_size, inference.prompt_length, inference.output_length,
                     name_of(inference.precision), name_of(inference.stored()),
                     name_of(inference.expert_precision.value_or(inference.precision)),
                     name_of(inference.experts_stored()), name_of(inference.kv_cache_precision),
                     inference.kv_block_size, inference.overlaps_two_batches);
}

std::string adaptation_comments(const std::vector<Adaptation>& adaptations) {
  std::string text;
  for (const Adaptation& adaptation : adaptations)
    text += fmt::format("# adapted: {}\n", describe(adaptation));
  return text;
}

} // namespace

std::string yaml_of(const workloads::Recompute& recompute) {
  const std::string_view granularity = name_of(recompute.granularity);
  if (recompute.is_full())
    return fmt::format("{{granularity: {}, method: {}, num_layers: {}}}", granularity, name_of(recompute.method),
                       recompute.num_layers);
  if (recompute.granularity == workloads::Recompute::Granularity::None)
    return std::string(granularity);
  std::vector<std::string_view> modules;
  for (std::size_t at = 0; at < workloads::recompute_module_count; ++at)
    if (const auto module = static_cast<workloads::RecomputeModule>(at); recompute.modules.contains(module))
      modules.push_back(name_of(module));
  return fmt::format("{{granularity: {}, modules: [{}]}}", granularity, fmt::join(modules, ", "));
}

std::string yaml_of(const workloads::Overlap& overlap) {
  return fmt::format("{{grad_reduce: {}, param_gather: {}, tp: {}, tp_backward: {}, expert: {}, pp: {}}}",
                     overlap.grad_reduce, overlap.param_gather, overlap.tp, overlap.tp_backward,
                     name_of(overlap.expert), overlap.pp);
}

std::string resolved_yaml(const Scenario& scenario) {
  return adaptation_comments(scenario.adaptations) +
         fmt::format("version: 1\nname: {}\nplatform:\n{}model:\n{}", config::double_quoted(scenario.name),
                     platforms::to_yaml(scenario.cluster, 2), workloads::to_yaml(scenario.job().model, 2)) +
         parallel_yaml(scenario) +
         (scenario.is_training() ? training_yaml(scenario.training_job(), scenario.launch)
                                 : inference_yaml(scenario.inference_job().inference)) +
         moe_yaml(scenario.job().moe) +
         fmt::format("simulation: {{{}, streams: {{{}}}, symmetry: {}, seed: {}}}\n", network_yaml(scenario.network),
                     streams_yaml(scenario.job().queues), scenario.symmetry == Symmetry::Auto ? "auto" : "off",
                     scenario.seed);
}

} // namespace moesim::scenario
