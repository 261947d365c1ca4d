#include "workloads/rank_parameters.hpp"

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
  const std::int64_t experts = (model.moe->num_experts + job.moe.load.redundant_experts) / job.sizes.ep;
  parameters.expert = static_cast<double>(experts) * mlp_parameters(model, model.moe->intermediate_size) /
                      static_cast<double>(job.sizes.etp);
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
  const bool is_embedding = job.model.tied_embeddings && job.ends_meet();
  return {.dense = norm_parameters(job.model) + (is_embedding ? 0 : vocabulary_share(job))};
}

RankParameters mtp_share(const Job& job) {
  RankParameters module = layer_parameters(job, job.model.kind_of(job.model.num_layers - 1));
  module.dense += joining_parameters(job) + 3 * norm_parameters(job.model);
  const auto modules = static_cast<double>(job.model.mtp_layers);
  RankParameters all{.dense = modules * module.dense, .expert = modules * module.expert};
  if (holds_embedding_twice(job) && !job.model.tied_embeddings)
    all.dense += vocabulary_share(job);
  return all;
}

double joining_parameters(const Job& job) {
  return 2 * static_cast<double>(job.model.hidden_size) * share(job.model.hidden_size, job.sizes.tp);
}

bool holds_embedding_twice(const Job& job) {
  return !job.ends_meet() && (job.model.tied_embeddings || job.model.mtp_layers > 0);
}

RankParameters virtual_stage_parameters(const Job& job, std::int64_t virtual_stage) {
  const std::int64_t first_layer = job.first_layer(virtual_stage);
  RankParameters total;
  for (std::int64_t layer = first_layer; layer < first_layer + job.layers_of(virtual_stage); ++layer)
    total += layer_parameters(job, job.model.kind_of(layer));
  if (virtual_stage == 0)
    total += embedding_share(job);
  if (virtual_stage == job.chunks().virtual_stages() - 1) {
    total += head_share(job);
    total += mtp_share(job);
  }
  return total;
}

RankParameters stage_parameters(const Job& job, std::int64_t stage) {
  const schedulers::Chunks chunks = job.chunks();
  RankParameters total;
  for (std::int64_t chunk = 0; chunk < chunks.chunks; ++chunk)
    total += virtual_stage_parameters(job, chunks.virtual_stage({stage, chunk}));
  return total;
}

RankParameters owned_parameters(const Job& job, std::int64_t stage) {
  return job.has_two_copies() ? virtual_stage_parameters(job, job.chunks().virtual_stage({stage, 0}))
                              : stage_parameters(job, stage);
}

namespace {

double among_replicas(const Job& job, const RankParameters& parameters) {
  return parameters.dense / static_cast<double>(job.sizes.dp * job.sizes.cp) +
         parameters.expert / static_cast<double>(job.sizes.edp());
}

} // namespace

double optimizer_share(const TrainingJob& job, const RankParameters& parameters) {
  return job.training.shards_optimizer() ? among_replicas(job, parameters) : parameters.dense + parameters.expert;
}

double gradient_share(const TrainingJob& job, const RankParameters& parameters) {
  return job.training.shards_gradients() ? among_replicas(job, parameters) : parameters.dense + parameters.expert;
}

double weight_share(const TrainingJob& job, const RankParameters& parameters) {
  return job.training.shards_weights() ? among_replicas(job, parameters) : parameters.dense + parameters.expert;
}

} // namespace moesim::workloads
