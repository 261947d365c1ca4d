#include "workloads/rank_memory.hpp"

#include <algorithm>
#include <span>

namespace moesim::workloads {
namespace {

double share(std::int64_t whole, std::int64_t ranks) {
  return static_cast<double>((whole + ranks - 1) / ranks);
}

} // namespace

double replicated_parameters(const ModelSpec& model, LayerKind kind) {
  double parameters = static_cast<double>(model.norms_per_layer()) * norm_parameters(model) + latent_parameters(model);
  if (model.qk_norm == QkNorm::Head)
    parameters += 2 * static_cast<double>(model.head_dim);
  if (kind.has_experts)
    parameters += router_parameters(model) + shared_gate_parameters(model);
  return parameters;
}

namespace {

// One rank's part of the projections that are split over tp, and of what goes with their columns.
double attention_share(const ModelSpec& model, std::int64_t tp) {
  const auto hidden = static_cast<double>(model.hidden_size);
  const double heads = share(model.num_heads, tp);
  const double query = heads * static_cast<double>(model.qk_head_dim());
  const double output = heads * static_cast<double>(model.v_head_dim());
  const double sinks = model.attention_sinks ? heads : 0;
  if (model.mla) {
    const MlaSpec& mla = *model.mla;
    const auto query_input = static_cast<double>(mla.q_lora_rank > 0 ? mla.q_lora_rank : model.hidden_size);
    const double kv = heads * static_cast<double>(mla.qk_nope_head_dim + mla.v_head_dim);
    return query_input * query + static_cast<double>(mla.kv_lora_rank) * kv + output * hidden + sinks;
  }
  const double kv = share(model.num_kv_heads, tp) * static_cast<double>(model.head_dim);
  const double biases = (model.attention_bias ? query + 2 * kv : 0) + (model.output_bias ? hidden : 0);
  const double norms = model.qk_norm == QkNorm::Width ? query + kv : 0;
  return hidden * (query + 2 * kv) + output * hidden + biases + norms + sinks;
}

double mlp_share(const ModelSpec& model, std::int64_t intermediate, std::int64_t tp) {
  const auto hidden = static_cast<double>(model.hidden_size);
  const double width = share(intermediate, tp);
  const double up = static_cast<double>(model.gated ? 2 : 1) * width;
  return hidden * up + width * hidden + (model.mlp_bias ? up + hidden : 0);
}

} // namespace

RankParameters layer_parameters(const Job& job, LayerKind kind) {
  const ModelSpec& model = job.model;
  const std::int64_t tp = job.sizes.tp;
  RankParameters parameters;
  parameters.dense = attention_share(model, tp) + replicated_parameters(model, kind);
  if (!kind.has_experts) {
    parameters.dense += mlp_share(model, model.intermediate_size, tp);
    return parameters;
  }
  if (model.moe->shared_intermediate_size > 0)
    parameters.dense += mlp_share(model, model.moe->shared_intermediate_size, tp);
  parameters.expert = static_cast<double>(model.moe->num_experts / job.sizes.ep) *
                      mlp_parameters(model, model.moe->intermediate_size) / static_cast<double>(job.sizes.etp);
  return parameters;
}

double vocabulary_share(const Job& job) {
  return share(job.model.vocab_size, job.sizes.tp) * static_cast<double>(job.model.hidden_size);
}

RankParameters embedding_share(const Job& job) {
  const auto positions = static_cast<double>(job.model.learned_positions * job.model.hidden_size);
  return {.dense = vocabulary_share(job) + positions};
}

RankParameters head_share(const Job& job) {
  const bool is_embedding = job.model.tied_embeddings && job.sizes.pp == 1;
  return {.dense = norm_parameters(job.model) + (is_embedding ? 0 : vocabulary_share(job))};
}

RankParameters stage_parameters(const Job& job, std::int64_t stage) {
  const std::int64_t first_layer = job.first_layer(stage);
  RankParameters total;
  for (std::int64_t layer = first_layer; layer < first_layer + job.layers_of(stage); ++layer)
    total += layer_parameters(job, job.model.kind_of(layer));
  if (stage == 0)
    total += embedding_share(job);
  if (stage == job.sizes.pp - 1)
    total += head_share(job);
  return total;
}

double optimizer_share(const TrainingJob& job, const RankParameters& parameters) {
  if (job.training.sharding == Sharding::None)
    return parameters.dense + parameters.expert;
  return parameters.dense / static_cast<double>(job.sizes.dp * job.sizes.cp) +
         parameters.expert / static_cast<double>(job.sizes.edp());
}

namespace {

// The fullest moment with `in_flight` micro-batches: all of them forward through the stage, or one of them, its head
// done, going back through a layer whose activations are recomputed while those of later layers are gone.
Bytes peak_activations(const TrainingJob& job, std::int64_t stage, double in_flight) {
  const MicroBatchShape shape = job.micro_batch();
  const bool recomputes = job.training.recompute == Recompute::Full;
  Bytes kept;       // by one micro-batch, in the layers so far
  Bytes recomputed; // at most, beyond what is kept in the layers of a micro-batch
  const std::int64_t first_layer = job.first_layer(stage);
  for (std::int64_t layer = first_layer; layer < first_layer + job.layers_of(stage); ++layer) {
    const Bytes all = layer_activations(job.model, shape, job.model.kind_of(layer));
    const Bytes by_layer = recomputes ? boundary_bytes(job.model, shape) : all;
    // Going back through this layer, the later ones have freed theirs; `recomputed` is relative to the sum over them
    // all.
    recomputed = std::max(recomputed - by_layer, all - by_layer);
    kept += by_layer;
  }
  const Bytes head = stage == job.sizes.pp - 1 ? head_activations(job.model, shape) : Bytes(0);
  return kept * in_flight + std::max(head * in_flight, head * (in_flight - 1) + recomputed);
}

StageMemory memory_of(const TrainingJob& job, std::int64_t stage, std::span<const schedulers::PipelinePass> passes) {
  const RankParameters parameters = stage_parameters(job, stage);
  const double count = parameters.dense + parameters.expert;
  StageMemory memory;
  memory.weights = Bytes(count * bytes_per_element(job.training.precision));
  memory.gradients = Bytes(count * gradient_bytes);
  memory.optimizer = Bytes(optimizer_share(job, parameters) * optimizer_bytes);

  std::int64_t in_flight = 0;
  std::int64_t most = 0;
  for (const schedulers::PipelinePass& pass : passes) {
    in_flight += pass.pass == Pass::Forward ? 1 : -1;
    most = std::max(most, in_flight);
  }
  memory.activations = peak_activations(job, stage, static_cast<double>(most));
  return memory;
}

} // namespace

std::vector<StageMemory> stage_memories(const TrainingJob& job) {
  const schedulers::PipelineOrder order = pipeline_order(job);
  std::vector<StageMemory> memories;
  for (std::int64_t stage = 0; stage < job.sizes.pp; ++stage)
    memories.push_back(memory_of(job, stage, order[static_cast<std::size_t>(stage)]));
  return memories;
}

} // namespace moesim::workloads
