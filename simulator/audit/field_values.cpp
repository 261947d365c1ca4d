#include "simulator/audit/field_values.hpp"

#include "workloads/model.hpp"

namespace moesim::audit {
namespace {

using claims::Field;

double layout_value(Field field, const workloads::ParallelSizes& sizes) {
  const std::int64_t value = field == Field::Tp    ? sizes.tp
                             : field == Field::Cp  ? sizes.cp
                             : field == Field::Pp  ? sizes.pp
                             : field == Field::Ep  ? sizes.ep
                             : field == Field::Etp ? sizes.etp
                             : field == Field::Dp  ? sizes.dp
                             : field == Field::Edp ? sizes.edp()
                                                   : sizes.world();
  return static_cast<double>(value);
}

double model_value(Field field, const workloads::ModelSpec& model) {
  const workloads::MoeSpec moe = model.moe.value_or(workloads::MoeSpec{});
  switch (field) {
  case Field::Layers:
    return static_cast<double>(model.num_layers);
  case Field::Heads:
    return static_cast<double>(model.num_heads);
  case Field::HeadDim:
    return static_cast<double>(model.head_dim);
  case Field::HiddenSize:
    return static_cast<double>(model.hidden_size);
  case Field::ExpertSize:
    return static_cast<double>(moe.intermediate_size);
  case Field::Experts:
    return static_cast<double>(moe.num_experts);
  case Field::ExpertsPerToken:
    return static_cast<double>(moe.experts_per_token);
  case Field::VocabSize:
    return static_cast<double>(model.vocab_size);
  case Field::Parameters:
    return workloads::total_parameters(model);
  default:
    return workloads::active_parameters(model);
  }
}

// Training and inference have the same words for these, but for the length of a sequence.
struct Batch {
  std::int64_t sequences;
  std::int64_t micro_batch_size;
  std::int64_t micro_batches;
  std::int64_t seq_length;
  double flops_per_token;
};

Batch batch_of(const workloads::TrainingJob& job) {
  const workloads::Training& training = job.training;
  return {training.global_batch_size, training.micro_batch_size, training.micro_batches(job.sizes), training.seq_length,
          workloads::model_flops(job.model, training.tokens(), training.seq_length) / training.tokens()};
}

Batch batch_of(const workloads::InferenceJob& job) {
  const workloads::Inference& inference = job.inference;
  return {inference.batch_size, inference.micro_batch_size, inference.micro_batches(job.sizes), inference.prompt_length,
          workloads::inference_flops(job) / inference.tokens()};
}

double batch_value(Field field, const Batch& batch) {
  if (field == Field::FlopsPerToken)
    return batch.flops_per_token;
  return static_cast<double>(field == Field::BatchSize        ? batch.sequences
                             : field == Field::MicroBatchSize ? batch.micro_batch_size
                             : field == Field::MicroBatches   ? batch.micro_batches
                                                              : batch.seq_length);
}

double platform_value(Field field, const scenario::Scenario& scenario) {
  const platforms::Cluster& cluster = scenario.cluster;
  switch (field) {
  case Field::ElementSize:
    return bytes_per_element(precision_outside_products(scenario.precision()));
  case Field::GpuFlops:
    return platforms::peak_of(cluster.gpu, scenario.precision()).value();
  case Field::GpuBandwidth:
    return cluster.gpu.memory_bandwidth.value();
  case Field::GpuMemory:
    return cluster.gpu.memory_capacity.value();
  case Field::NvlinkBandwidth:
    return cluster.nvlink.bandwidth.value();
  default:
    return cluster.nic.bandwidth.value();
  }
}

} // namespace

double value_of(Field field, const scenario::Scenario& scenario) {
  if (field <= Field::Edp)
    return layout_value(field, scenario.job().sizes);
  if (field <= Field::ActiveParameters)
    return model_value(field, scenario.job().model);
  if (field <= Field::FlopsPerToken)
    return batch_value(field, std::visit([](const auto& job) { return batch_of(job); }, scenario.work));
  return platform_value(field, scenario);
}

} // namespace moesim::audit
