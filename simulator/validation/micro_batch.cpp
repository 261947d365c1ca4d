#include "simulator/validation/micro_batch.hpp"

#include <algorithm>

namespace moesim::validation {
namespace {

using config::Node;

bool leaves_it_open(const Node& config) {
  return !integer(config, "micro_batch_size") && !integer(config, "local_batch_size") &&
         !integer(config, "gradient_accumulation_steps");
}

bool takes_largest(const TrainingFields& fields) {
  const Degrees& given = fields.degrees;
  return text(fields.rule, "micro_batches") == "largest" && leaves_it_open(fields.entry.config) && given.tp &&
         given.pp == 1 && given.ep;
}

} // namespace

std::int64_t replicas(const TrainingFields& fields, const Degrees& degrees) {
  return std::max<std::int64_t>(1, fields.gpus / std::max<std::int64_t>(1, *degrees.tp * *degrees.pp * fields.cp));
}

std::int64_t micro_batch_size(const TrainingFields& fields, const Degrees& degrees) {
  if (fields.micro_batch_size)
    return *fields.micro_batch_size;
  const Node& config = fields.entry.config;
  if (const auto given = integer(config, "micro_batch_size"))
    return *given;
  const auto of_replica = integer(config, "local_batch_size"); // of a step, which a pipeline cuts further
  if (of_replica && *degrees.pp == 1)
    return *of_replica;
  if (of_replica && text(fields.rule, "micro_batches") == "stages")
    return std::max<std::int64_t>(1, *of_replica / *degrees.pp);
  const auto accumulated = integer(config, "gradient_accumulation_steps");
  const auto copies = integer(config, "data_parallel_size");
  if (accumulated && copies && *accumulated > 0 && *copies > 0)
    return std::max<std::int64_t>(1, fields.global_batch_size / (*accumulated * *copies));
  return 1;
}

std::optional<std::int64_t> sequences_to_fit(const TrainingFields& fields) {
  if (!takes_largest(fields))
    return std::nullopt;
  return fields.global_batch_size / replicas(fields, fields.degrees);
}

bool assumes_one_sequence(const TrainingFields& fields) {
  return leaves_it_open(fields.entry.config) && !takes_largest(fields);
}

} // namespace moesim::validation
