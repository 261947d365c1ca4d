// How a model is trained: the `training` section of a scenario.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "schedulers/pipeline_schedule.hpp"
#include "workloads/expert_loads.hpp"
#include "workloads/job.hpp"
#include "workloads/segments.hpp"

namespace moesim::workloads {

// Of what each data-parallel rank keeps a share instead of the whole (ZeRO, arXiv 1910.02054). Zero1: the optimizer's
// state; gradients are reduce-scattered once per iteration, and parameters gathered after the step (Megatron's
// distributed optimizer). Zero2: gradients, too; those of each part of the model are reduce-scattered after each of its
// backward passes. Zero3: parameters, too; those of a part are gathered before its forward and again before its
// backward (PyTorch FSDP, arXiv 2304.11277, with reshard_after_forward).
enum class Sharding : std::uint8_t { None, Zero1, Zero2, Zero3 };
[[nodiscard]] std::string_view name_of(Sharding sharding);

// How the all-to-alls of experts run beside compute. Chunked: those of one half of a micro-batch beside the experts of
// the other. Passes: those of a forward beside the backward of another micro-batch, and the other way round (DualPipe;
// Megatron Core, overlap_moe_expert_parallel_comm).
enum class ExpertOverlap : std::uint8_t { None, Chunked, Passes };
[[nodiscard]] std::string_view name_of(ExpertOverlap overlap); // "false", "chunked", "true"

// What runs beside compute. Nothing overlaps that is not named here.
struct Overlap {
  bool grad_reduce = false;  // gradients of a layer are reduced while earlier layers compute theirs
  bool param_gather = false; // parameters of the layers that come next are gathered while others compute
  bool pp = false;           // the next pass does not wait for the previous one's sends
  bool tp = false;           // gathers and sums of a tensor-parallel region run beside its products, piece by piece
  bool tp_backward = true;   // those of the backward, too
  ExpertOverlap expert = ExpertOverlap::None;
};

// What is computed again in the backward pass instead of being kept. Selective: the modules named, in every layer.
// Full: layers as wholes; by method uniform all of them, `num_layers` at a time, of which only the first one's input is
// kept; by method block the first `num_layers` of each stage, each by itself (Megatron Core, recompute_granularity,
// recompute_method, recompute_num_layers).
struct Recompute {
  enum class Granularity : std::uint8_t { None, Selective, Full };
  enum class Method : std::uint8_t { Uniform, Block };
  Granularity granularity = Granularity::None;
  RecomputeModules modules{};
  Method method = Method::Uniform;
  std::int64_t num_layers = 1;

  [[nodiscard]] bool is_full() const { return granularity == Granularity::Full; }
};

[[nodiscard]] std::string_view name_of(Recompute::Granularity granularity); // "none", "selective", "full"
[[nodiscard]] std::string_view name_of(Recompute::Method method);           // "uniform", "block"

// When transfers between stages start. Eager: when their data exists. Rendezvous: when, besides, the receiver has
// finished the pass before the one that needs it.
enum class P2p : std::uint8_t { Eager, Rendezvous };
[[nodiscard]] std::string_view name_of(P2p p2p);

// When the parameters of a backward's next part are gathered under Zero3 with overlap.param_gather (PyTorch FSDP,
// BackwardPrefetch). Pre: as in a forward, `prefetch` parts ahead. Post: once the part before has computed its
// gradients, and before these are reduced, so that only the reduction runs beside kernels.
enum class BackwardPrefetch : std::uint8_t { Pre, Post };
[[nodiscard]] std::string_view name_of(BackwardPrefetch prefetch); // "pre", "post"

// Megatron Core's default is the larger of this and a million for each data-parallel rank
// (distributed_data_parallel.py).
inline constexpr std::int64_t least_ddp_bucket_size = 40'000'000;

// Of what Adam keeps for each parameter (Megatron Core, main_params_dtype, exp_avg_dtype and exp_avg_sq_dtype of its
// precision-aware optimizer): the master weight, unless the weights are FP32 themselves, and two moments.
struct OptimizerPrecision {
  Precision main_params = Precision::Fp32;
  Precision exp_avg = Precision::Fp32;
  Precision exp_avg_sq = Precision::Fp32;

  bool operator==(const OptimizerPrecision&) const = default;
};

struct Training {
  std::int64_t global_batch_size = 1; // sequences per iteration, over all GPUs
  std::int64_t micro_batch_size = 1;  // sequences per forward pass
  std::int64_t seq_length = 1;        // tokens
  Precision precision = Precision::Bf16;
  bool grad_reduce_in_fp32 = true; // gradients are summed, over micro-batches and replicas, in FP32
  OptimizerPrecision optimizer;
  bool fused_optimizer = true; // the step is one pass over all parameters, instead of one for each operation
  std::string schedule = "1f1b";
  // The order of passes where it is not the schedule's function of the job's sizes: given, or searched for.
  std::optional<schedulers::PipelineOrder> order;
  std::int64_t max_in_flight = 0; // of zb-auto: micro-batches whose activations a stage may hold
  P2p p2p = P2p::Eager;
  // Tokens that all tp ranks have leave a stage in tp parts, which the next one gathers (Narayanan et al., SC21, 4.1).
  bool p2p_scatter_gather = false;
  Recompute recompute;
  // A layer that is recomputed as a whole stops once the backward has what it needs (PyTorch, utils/checkpoint.py,
  // set_checkpoint_early_stop, without reentrance; what compilers do, too). Of layers one by one (`num_layers` 1).
  bool recompute_early_stop = false;
  AttentionBackend attention_backend = AttentionBackend::Flash;
  TransformerImpl transformer_impl = TransformerImpl::TransformerEngine;
  double attention_dropout = 0; // share of the activations that is dropped; what costs is that any is
  double hidden_dropout = 0;
  bool batch_first = false; // activations are [sequences, tokens, hidden], not Megatron's [tokens, sequences, hidden]
  bool repeat_kv = false;   // keys and values are copied for every query head before they are attended to or sent
  bool fused_projections = true;          // queries, keys and values are one product, and so are gate and up of an MLP
  bool fp8_dot_product_attention = false; // attention multiplies in the precision of the linear layers, of 8 bits
  bool fp8_output_proj = false;           // and so does the head
  ScaleKernels scale_kernels = ScaleKernels::None;
  bool cross_entropy_loss_fusion = true; // the loss is a few kernels over the logits instead of one for each step
  bool fp32_logits = true;               // the loss reads a copy of the logits in FP32
  std::int64_t train_metrics = 0;        // cross-entropies besides, of every micro-batch (Composer's train_metrics)
  Fp8Scaling fp8_scaling = Fp8Scaling::Delayed;
  bool tp_gather_in_fp8 = false;  // what products read is cast before tensor-parallel ranks gather it
  bool moe_router_fusion = true;  // the router is one kernel behind its product, instead of one for each step
  bool moe_permute_fusion = true; // so is the sorting of tokens by expert
  ExpertActivation moe_activation = ExpertActivation::Kernel;
  CudaGraphScope cuda_graph_scope;
  CpCommType cp_comm_type = CpCommType::P2p;
  Sharding sharding = Sharding::Zero1;
  Overlap overlap;
  // Zero3 with overlap.param_gather: of how many parts of the model that come next the parameters are gathered while
  // one computes (PyTorch FSDP2, set_modules_to_forward_prefetch and set_modules_to_backward_prefetch).
  std::int64_t prefetch = 1;
  BackwardPrefetch backward_prefetch = BackwardPrefetch::Pre;
  // Zero3: parameters are copied out of what is gathered, as each is cut by itself (PyTorch FSDP2,
  // foreach_all_gather_copy_out()).
  bool copy_gathered_parameters = false;
  // Bytes that data-parallel ranks send of a gradient, over those that it has (PyTorch DDP's communication hooks, such
  // as fp16_compress_hook); none: it is sent as it is.
  std::optional<double> grad_compression;
  // Parameters of a rank whose gradients are reduced together beside the backward (overlap.grad_reduce; Megatron Core,
  // --ddp-bucket-size), dense ones and experts apart; none: Megatron's default for the layout. Sharded gradients are
  // reduced part by part.
  std::optional<std::int64_t> ddp_bucket_size;

  [[nodiscard]] std::int64_t bucket_size(const ParallelSizes& sizes) const {
    return ddp_bucket_size.value_or(std::max(least_ddp_bucket_size, 1'000'000 * sizes.dp * sizes.cp));
  }
  [[nodiscard]] Precision gradient_precision() const {
    return grad_reduce_in_fp32 ? Precision::Fp32 : precision_outside_products(precision);
  }
  [[nodiscard]] double gradient_bytes() const { return bytes_per_element(gradient_precision()); } // a parameter
  [[nodiscard]] double optimizer_bytes() const; // that Adam keeps of a parameter
  [[nodiscard]] std::int64_t micro_batches(const ParallelSizes& sizes) const {
    return global_batch_size / (micro_batch_size * sizes.dp);
  }
  [[nodiscard]] bool shards_optimizer() const { return sharding >= Sharding::Zero1; }
  [[nodiscard]] bool shards_gradients() const { return sharding >= Sharding::Zero2; }
  [[nodiscard]] bool shards_weights() const { return sharding >= Sharding::Zero3; }
  [[nodiscard]] double tokens() const {
    return static_cast<double>(global_batch_size) * static_cast<double>(seq_length);
  }
};

// Everything that determines the task graph of one iteration. All divisibilities have been checked.
struct TrainingJob : Job {
  Training training;

  // Whether what a stage receives is gathered over tp. With sequence parallelism each rank has tokens of its own.
  [[nodiscard]] bool gathers_received() const {
    return training.p2p_scatter_gather && sizes.tp > 1 && !sequence_parallel;
  }

  [[nodiscard]] MicroBatchShape micro_batch() const {
    return {.sizes = sizes,
            .sequence_parallel = sequence_parallel,
            .sequences = training.micro_batch_size,
            .seq_length = training.seq_length,
            .precision = training.precision,
            .gradient_precision = training.gradient_precision(),
            .attention_backend = training.attention_backend,
            .transformer_impl = training.transformer_impl,
            .attention_dropout = training.attention_dropout > 0,
            .hidden_dropout = training.hidden_dropout > 0,
            .batch_first = training.batch_first,
            .repeat_kv = training.repeat_kv,
            .fused_projections = training.fused_projections,
            .fp8_dot_product_attention = training.fp8_dot_product_attention,
            .fp8_output_proj = training.fp8_output_proj,
            .scale_kernels = training.scale_kernels,
            .cross_entropy_loss_fusion = training.cross_entropy_loss_fusion,
            .fp32_logits = training.fp32_logits,
            .train_metrics = training.train_metrics,
            .fp8_scaling = training.fp8_scaling,
            .gathers_fp8 = training.tp_gather_in_fp8,
            .moe_router_fusion = training.moe_router_fusion,
            .moe_permute_fusion = training.moe_permute_fusion,
            .moe_activation = training.moe_activation,
            .cuda_graphs = training.cuda_graph_scope,
            .cp_comm_type = training.cp_comm_type,
            .dispatcher = moe.dispatcher,
            .fp8_dispatch = moe.fp8_dispatch,
            .overlaps_tp = training.overlap.tp,
            .overlaps_tp_backward = training.overlap.tp_backward,
            .experts_are_even = is_even(moe.load),
            .reaction = Seconds(moe.load.stealing.reaction_time_s),
            .overlaps_experts = training.overlap.expert == ExpertOverlap::Chunked,
            .recomputed = training.recompute.modules};
  }
};

// What a rank sends to another stage for one micro-batch.
[[nodiscard]] Bytes sent_bytes(const TrainingJob& job);

// What the job's schedule is asked for, and the order in which its stages run their passes.
[[nodiscard]] schedulers::ScheduleShape schedule_shape(const TrainingJob& job);
[[nodiscard]] schedulers::PipelineOrder pipeline_order(const TrainingJob& job);

// One iteration: all micro-batches forward and backward, gradient reduction, optimizer step, parameter gathering.
[[nodiscard]] graph::Programs training_iteration(const TrainingJob& job, const ExpertLoads& loads = {});

// The same stage by stage, for those who do not need all programs at once; and, with even loads, with passes in another
// order.
void visit_stages(const TrainingJob& job, const StageVisitor& visit, const ExpertLoads& loads = {});
void visit_stages(const TrainingJob& job, const schedulers::PipelineOrder& order, const StageVisitor& visit,
                  const ExpertLoads& loads = {});

} // namespace moesim::workloads
