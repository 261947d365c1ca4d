#include "workloads/rank_memory.hpp"

#include <algorithm>
#include <span>

namespace moesim::workloads {
namespace {

double share(std::int64_t whole, std::int64_t ranks) {
  return static_cast<double>((whole + ranks - 1) / ranks);
}

} // namespace

RankParameters layer_parameters(const TrainingJob& job) {
  const ModelSpec& model = job.model;
  const auto hidden = static_cast<double>(model.hidden_size);
  const std::int64_t tp = job.sizes.tp;
  const double query = share(model.query_width(), tp);
  const double kv = share(model.num_kv_heads, tp) * static_cast<double>(model.head_dim);
  const double biases = model.attention_bias ? query + 2 * kv + hidden : 0;
  RankParameters parameters;
  parameters.dense = hidden * (query + 2 * kv) + query * hidden + biases + 2 * norm_parameters(model);
  if (model.moe) {
    parameters.dense += router_parameters(model);
    parameters.expert = static_cast<double>(model.moe->num_experts / job.sizes.ep) *
                        mlp_parameters(model, model.moe->intermediate_size) / static_cast<double>(job.sizes.etp);
  } else {
    const double width = share(model.intermediate_size, tp);
    const double up = static_cast<double>(model.gated ? 2 : 1) * width;
    parameters.dense += hidden * up + width * hidden + (model.mlp_bias ? up + hidden : 0);
  }
  return parameters;
}

RankParameters embedding_share(const TrainingJob& job) {
  const double rows = share(job.model.vocab_size, job.sizes.tp) + static_cast<double>(job.model.learned_positions);
  return {.dense = rows * static_cast<double>(job.model.hidden_size)};
}

RankParameters head_share(const TrainingJob& job) {
  const double norm = norm_parameters(job.model);
  if (job.model.tied_embeddings && job.sizes.pp == 1)
    return {.dense = norm};
  return {.dense = norm + share(job.model.vocab_size, job.sizes.tp) * static_cast<double>(job.model.hidden_size)};
}

RankParameters stage_parameters(const TrainingJob& job, std::int64_t stage) {
  const RankParameters layer = layer_parameters(job);
  const auto layers = static_cast<double>(job.layers_per_stage());
  RankParameters total{layers * layer.dense, layers * layer.expert};
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
  const Bytes layer = layer_activations(job.model, job.micro_batch());
  memory.activations = layer * static_cast<double>(most * job.layers_per_stage());
  if (stage == job.sizes.pp - 1)
    memory.activations += head_activations(job.model, job.micro_batch()) * static_cast<double>(most);
  return memory;
}

} // namespace

StageMemory stage_memory(const TrainingJob& job, std::int64_t stage) {
  return memory_of(job, stage, pipeline_order(job)[static_cast<std::size_t>(stage)]);
}

std::vector<StageMemory> stage_memories(const TrainingJob& job) {
  const schedulers::PipelineOrder order = pipeline_order(job);
  std::vector<StageMemory> memories;
  for (std::int64_t stage = 0; stage < job.sizes.pp; ++stage)
    memories.push_back(memory_of(job, stage, order[static_cast<std::size_t>(stage)]));
  return memories;
}

} // namespace moesim::workloads
