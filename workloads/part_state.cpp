#include "workloads/part_state.hpp"

namespace moesim::workloads {

namespace {

// Whether head and modules for multi-token prediction read the embedding's table itself, not a copy of it.
bool head_reads_embedding(const Job& job) {
  return job.ends_meet() && (job.model.tied_embeddings || job.model.mtp_layers > 0);
}

} // namespace

PartParameters embedding_part(const Job& job) {
  const RankParameters table = embedding_share(job);
  return {.read = table,
          .cast_copies = {},
          .begun = {.dense = table.dense - (head_reads_embedding(job) ? vocabulary_share(job) : 0)},
          .completed = table};
}

PartParameters head_part(const TrainingJob& job) {
  RankParameters own = head_share(job);
  own += mtp_share(job);
  RankParameters used = own;
  used.dense += head_reads_embedding(job) ? vocabulary_share(job) : 0;
  const RankParameters layer = layer_part(job, job.model.kind_of(job.model.num_layers - 1)).cast_copies;
  const double joining = is_cast_for_products(job.training.precision) ? joining_parameters(job) : 0;
  const auto modules = static_cast<double>(job.model.mtp_layers);
  return {.read = used,
          .cast_copies = {.dense = modules * (layer.dense + joining), .expert = modules * layer.expert},
          .begun = used,
          .completed = own};
}

PartParameters layer_part(const TrainingJob& job, LayerKind kind) {
  const RankParameters all = layer_parameters(job, kind);
  RankParameters products;
  if (is_cast_for_products(job.training.precision))
    products = {.dense = all.dense - replicated_parameters(job.model, kind), .expert = all.expert};
  return {.read = all, .cast_copies = products, .begun = all, .completed = all};
}

double cast_copy_bytes(Precision precision) {
  return 2 * bytes_per_element(precision);
}

RankBytes gathered_weights(const TrainingJob& job, const PartParameters& part) {
  if (!job.training.shards_weights())
    return {};
  const double bytes = bytes_per_element(precision_outside_products(job.training.precision));
  const double copy_bytes = cast_copy_bytes(job.training.precision);
  const RankParameters read = with_replicas(job, part.read);
  const RankParameters copies = with_replicas(job, part.cast_copies);
  return {.dense = Bytes(bytes * read.dense + copy_bytes * copies.dense),
          .expert = Bytes(bytes * read.expert + copy_bytes * copies.expert)};
}

RankBytes gradient_bucket(const TrainingJob& job, const RankParameters& parameters) {
  if (!job.training.shards_gradients())
    return {};
  const RankParameters reduced = with_replicas(job, parameters);
  return {.dense = Bytes(job.training.gradient_bytes() * reduced.dense),
          .expert = Bytes(job.training.gradient_bytes() * reduced.expert)};
}

RankParameters with_replicas(const Job& job, const RankParameters& parameters) {
  return {.dense = job.sizes.group_size(graph::Dimension::Dp) > 1 ? parameters.dense : 0,
          .expert = job.sizes.group_size(graph::Dimension::Edp) > 1 ? parameters.expert : 0};
}

} // namespace moesim::workloads
