#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "simulator/scenario/field_choices.hpp"
#include "simulator/scenario/sections.hpp"

namespace moesim::scenario {
namespace {

using workloads::Recompute;
using workloads::RecomputeModule;

constexpr std::array<RecomputeModule, workloads::recompute_module_count> recompute_modules{
    RecomputeModule::CoreAttn, RecomputeModule::MoeAct, RecomputeModule::Layernorm,     RecomputeModule::MlaUpProj,
    RecomputeModule::Mlp,      RecomputeModule::Moe,    RecomputeModule::SharedExperts, RecomputeModule::Op};

// Without `modules`, attention alone (Megatron Core's default).
workloads::RecomputeModules read_modules(config::MapReader& map) {
  std::vector<std::string_view> names;
  for (const RecomputeModule module : recompute_modules)
    names.push_back(name_of(module));
  workloads::RecomputeModules modules;
  if (!map.has("modules"))
    modules.add(RecomputeModule::CoreAttn);
  const std::vector<std::string> chosen = map.choices_or_empty("modules", names);
  for (const RecomputeModule module : recompute_modules)
    if (std::ranges::count(chosen, name_of(module)) > 0)
      modules.add(module);
  for (const RecomputeModule other : {RecomputeModule::CoreAttn, RecomputeModule::Mlp})
    if (modules.contains(RecomputeModule::Op) && modules.contains(other))
      map.problem("modules",
                  fmt::format("op says of every operator whether it is kept, {} among them; leave out one of them",
                              name_of(other)));
  return modules;
}

// A granularity, or a map with it and what it takes: selective `modules`; full `method` and `num_layers`.
Recompute read_recompute(config::MapReader& map) {
  using Granularity = Recompute::Granularity;
  constexpr std::array<Granularity, 3> granularities{Granularity::None, Granularity::Selective, Granularity::Full};
  Recompute recompute;
  const config::Node* node = map.node("recompute");
  if (node == nullptr || node->kind != config::Node::Kind::Map) {
    recompute.granularity = enum_choice(map, "recompute", granularities);
    if (recompute.granularity == Granularity::Selective)
      recompute.modules.add(RecomputeModule::CoreAttn);
    return recompute;
  }
  config::MapReader form = map.map("recompute");
  recompute.granularity = enum_choice(form, "granularity", granularities);
  if (recompute.granularity == Granularity::Selective)
    recompute.modules = read_modules(form);
  if (recompute.is_full()) {
    recompute.method = enum_choice(form, "method", std::array{Recompute::Method::Uniform, Recompute::Method::Block});
    recompute.num_layers = form.integer_or("num_layers", 1, {.min = 1, .max = 1'000'000});
  }
  form.finish();
  return recompute;
}

workloads::Sharding read_sharding(config::MapReader& map) {
  using workloads::Sharding;
  constexpr std::array<std::string_view, 5> names{"none", "zero-1", "zero-2", "zero-3", "fsdp"};
  const std::string chosen = map.choice_or("sharding", name_of(Sharding::Zero1), names);
  for (const Sharding sharding : {Sharding::None, Sharding::Zero1, Sharding::Zero2})
    if (name_of(sharding) == chosen)
      return sharding;
  return Sharding::Zero3; // fsdp is the same under another name
}

workloads::Overlap read_overlap(config::MapReader map) {
  using workloads::ExpertOverlap;
  workloads::Overlap overlap;
  overlap.grad_reduce = map.boolean_or("grad_reduce", false);
  overlap.param_gather = map.boolean_or("param_gather", false);
  overlap.pp = map.boolean_or("pp", false);
  overlap.tp = map.boolean_or("tp", false);
  overlap.tp_backward = map.boolean_or("tp_backward", true);
  overlap.expert =
      enum_choice(map, "expert", std::array{ExpertOverlap::None, ExpertOverlap::Chunked, ExpertOverlap::Passes});
  map.finish();
  return overlap;
}

// A name for none or all, or a list of modules.
workloads::CudaGraphScope read_cuda_graph_scope(config::MapReader& map) {
  using workloads::CudaGraphModule;
  workloads::CudaGraphScope scope;
  const config::Node* given = map.node("cuda_graph_scope");
  if (given == nullptr || given->kind != config::Node::Kind::Sequence) {
    constexpr std::array<std::string_view, 2> names{"none", "full_iteration"};
    if (map.choice_or("cuda_graph_scope", "none", names) != "none")
      scope.add(CudaGraphModule::FullIteration);
    return scope;
  }
  constexpr std::array modules{CudaGraphModule::Attn, CudaGraphModule::Mlp, CudaGraphModule::Moe,
                               CudaGraphModule::MoeRouter, CudaGraphModule::MoePreprocess};
  std::vector<std::string_view> names;
  for (const CudaGraphModule module : modules)
    names.push_back(name_of(module));
  for (const std::string& name : map.choices_or_empty("cuda_graph_scope", names))
    scope.add(modules[static_cast<std::size_t>(std::ranges::find(names, name) - names.begin())]);
  return scope;
}

// Products that FP8 recipes leave in 16 bits unless they are named.
void read_fp8_products(config::MapReader& map, workloads::Training& training) {
  training.fp8_dot_product_attention = map.boolean_or("fp8_dot_product_attention", false);
  training.fp8_output_proj = map.boolean_or("fp8_output_proj", false);
  const bool has_8_bits = is_cast_for_products(training.precision) && training.precision != Precision::Nvfp4;
  for (const auto& [key, is_on] : {std::pair("fp8_dot_product_attention", training.fp8_dot_product_attention),
                                   std::pair("fp8_output_proj", training.fp8_output_proj)})
    if (is_on && !has_8_bits)
      map.problem(key, fmt::format("precision {} has no 8 bits to multiply in; use fp8, fp8-block or mxfp8, or leave "
                                   "this out",
                                   name_of(training.precision)));
  if (training.fp8_dot_product_attention && training.attention_backend != workloads::AttentionBackend::Flash)
    map.problem("fp8_dot_product_attention",
                fmt::format("attention_backend {} has no kernel of 8 bits; use flash, or leave this out",
                            name_of(training.attention_backend)));
  if (training.fp8_dot_product_attention && training.attention_dropout > 0)
    map.problem("fp8_dot_product_attention",
                "attention with dropout has no kernel of 8 bits; use attention_dropout: 0, or leave this out");
}

void read_loss(config::MapReader& map, workloads::Training& training) {
  training.cross_entropy_loss_fusion = map.boolean_or("cross_entropy_loss_fusion", true);
  training.fp32_logits = map.boolean_or("fp32_logits", true);
  if (!training.fp32_logits && !training.cross_entropy_loss_fusion)
    map.problem("fp32_logits", "a loss that is not fused takes its logits in FP32; use true, or "
                               "cross_entropy_loss_fusion: true");
  training.train_metrics = map.integer_or("train_metrics", 0, {.min = 0, .max = 100});
}

void read_kernels(config::MapReader& map, workloads::Training& training) {
  using workloads::AttentionBackend;
  using workloads::Fp8Scaling;
  using workloads::TransformerImpl;
  training.attention_backend = enum_choice(map, "attention_backend",
                                           std::array{AttentionBackend::Flash, AttentionBackend::Flash2,
                                                      AttentionBackend::Flash1, AttentionBackend::Unfused});
  training.transformer_impl =
      enum_choice(map, "transformer_impl",
                  std::array{TransformerImpl::TransformerEngine, TransformerImpl::Local, TransformerImpl::Eager});
  constexpr config::NumberRange share{.min = 0, .max = 0.99};
  training.attention_dropout = map.number_or("attention_dropout", 0, share);
  training.hidden_dropout = map.number_or("hidden_dropout", 0, share);
  training.batch_first = map.boolean_or("batch_first", false);
  training.repeat_kv = map.boolean_or("repeat_kv", false);
  training.fused_projections = map.boolean_or("fused_projections", true);
  read_fp8_products(map, training);
  using workloads::ScaleKernels;
  training.scale_kernels = enum_choice(
      map, "scale_kernels", std::array{ScaleKernels::None, ScaleKernels::Swizzle, ScaleKernels::ZeroAndSwizzle});
  read_loss(map, training);
  training.fp8_scaling =
      enum_choice(map, "fp8_scaling", std::array{Fp8Scaling::Delayed, Fp8Scaling::Current, Fp8Scaling::Row});
  training.tp_gather_in_fp8 = map.boolean_or("tp_gather_in_fp8", false);
  training.moe_router_fusion = map.boolean_or("moe_router_fusion", true);
  training.moe_permute_fusion = map.boolean_or("moe_permute_fusion", true);
  using workloads::ExpertActivation;
  training.moe_activation =
      enum_choice(map, "moe_activation",
                  std::array{ExpertActivation::Kernel, ExpertActivation::Steps, ExpertActivation::InProducts});
  training.cuda_graph_scope = read_cuda_graph_scope(map);
}

void read_optimizer(config::MapReader& map, workloads::OptimizerPrecision& optimizer) {
  constexpr std::array moments{Precision::Fp32, Precision::Bf16, Precision::Fp16, Precision::Fp8};
  optimizer.main_params = enum_choice(map, "main_params_dtype", std::array{Precision::Fp32, Precision::Fp16});
  optimizer.exp_avg = enum_choice(map, "exp_avg_dtype", moments);
  optimizer.exp_avg_sq = enum_choice(map, "exp_avg_sq_dtype", moments);
}

// `none`, or a map with the factor.
std::optional<double> read_grad_compression(config::MapReader& map) {
  const config::Node* node = map.node("grad_compression");
  if (node == nullptr || node->kind != config::Node::Kind::Map) {
    constexpr std::array<std::string_view, 1> none{"none"};
    map.choice_or("grad_compression", none[0], none);
    return {};
  }
  config::MapReader form = map.map("grad_compression");
  const double factor = form.number("factor", {.min = std::numeric_limits<double>::min(), .max = 1});
  form.finish();
  return factor;
}

} // namespace

void read_launch_time(config::MapReader map, cost::LaunchTimes& launch) {
  launch.forward = map.seconds_or("forward", Seconds());
  launch.backward = map.seconds_or("backward", Seconds());
  launch.step = map.seconds_or("step", Seconds());
  launch.waits_for_passes = map.boolean_or("waits_for_passes", false);
  map.finish();
}

void read_training(config::MapReader& map, const std::filesystem::path& scenario_file, workloads::TrainingJob& job) {
  workloads::Training& training = job.training;
  training.global_batch_size = map.integer("global_batch_size", {.min = 1, .max = 100'000'000});
  training.micro_batch_size = map.integer_or("micro_batch_size", 1, {.min = 1, .max = 1'000'000});
  training.seq_length = map.integer("seq_length", {.min = 1, .max = 100'000'000});
  job.model.mtp_layers =
      map.integer_or("mtp_num_layers", job.model.mtp_layers, {.min = 0, .max = workloads::most_mtp_layers});
  training.precision = enum_choice(map, "precision",
                                   std::array{Precision::Bf16, Precision::Fp16, Precision::Fp8, Precision::Fp8Block,
                                              Precision::Mxfp8, Precision::Nvfp4, Precision::Fp32});
  training.grad_reduce_in_fp32 = map.boolean_or("grad_reduce_in_fp32", true);
  read_optimizer(map, training.optimizer);
  training.fused_optimizer = map.boolean_or("fused_optimizer", true);
  if (!training.fused_optimizer && training.optimizer != workloads::OptimizerPrecision())
    map.problem("fused_optimizer", "PyTorch's operations keep weights and moments in FP32; use true, or leave out "
                                   "main_params_dtype, exp_avg_dtype and exp_avg_sq_dtype");
  read_schedule(map, scenario_file, job);
  training.p2p = enum_choice(map, "p2p", std::array{workloads::P2p::Eager, workloads::P2p::Rendezvous});
  training.p2p_scatter_gather = map.boolean_or("p2p_scatter_gather", false);
  training.recompute = read_recompute(map);
  training.recompute_early_stop = map.boolean_or("recompute_early_stop", false);
  if (training.recompute_early_stop && training.recompute.is_full() &&
      training.recompute.method == workloads::Recompute::Method::Uniform && training.recompute.num_layers > 1)
    map.problem("recompute_early_stop",
                "layers recomputed together need each other's outputs; recompute.num_layers 1, or leave this out");
  read_kernels(map, training);
  training.sharding = read_sharding(map);
  training.overlap = read_overlap(map.map_or_empty("overlap"));
  training.prefetch = map.integer_or("prefetch", 1, {.min = 1, .max = 1000});
  training.backward_prefetch = enum_choice(
      map, "backward_prefetch", std::array{workloads::BackwardPrefetch::Pre, workloads::BackwardPrefetch::Post});
  training.copy_gathered_parameters = map.boolean_or("copy_gathered_parameters", false);
  training.grad_compression = read_grad_compression(map);
  if (map.has("ddp_bucket_size"))
    training.ddp_bucket_size = map.integer("ddp_bucket_size", {.min = 1, .max = 1'000'000'000'000'000});
}

} // namespace moesim::scenario
