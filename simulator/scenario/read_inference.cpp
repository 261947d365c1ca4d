#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "simulator/scenario/field_choices.hpp"
#include "simulator/scenario/sections.hpp"

namespace moesim::scenario {
namespace {

constexpr config::IntegerRange amount{.min = 1, .max = 100'000'000};
constexpr std::array precisions{Precision::Bf16,  Precision::Fp16,  Precision::Fp8, Precision::Fp8Block,
                                Precision::Mxfp8, Precision::Nvfp4, Precision::Fp32};
constexpr std::array cache_precisions{Precision::Bf16, Precision::Fp16, Precision::Fp8, Precision::Fp32};

// A replica's sequences, one micro-batch for each stage if they divide, so that all stages have work.
std::int64_t default_micro_batch_size(std::int64_t batch_size, const workloads::ParallelSizes& sizes) {
  if (batch_size % sizes.dp != 0)
    return 1; // a problem that is found later
  const std::int64_t of_replica = batch_size / sizes.dp;
  return of_replica % sizes.pp == 0 ? of_replica / sizes.pp : of_replica;
}

// Nothing where it is not given, or the same as `usual`.
std::optional<Precision> read_other_precision(config::MapReader& map, std::string_view key, Precision usual) {
  std::array<std::string_view, precisions.size()> names;
  std::ranges::transform(precisions, names.begin(), name_of);
  const std::string chosen = map.choice_or(key, name_of(usual), names);
  for (const Precision candidate : precisions)
    if (name_of(candidate) == chosen && candidate != usual)
      return candidate;
  return std::nullopt;
}

// Experts that differ in what is multiplied or in what is stored have both of their own.
void read_expert_precision(config::MapReader& map, workloads::Inference& inference) {
  const Precision multiplied =
      read_other_precision(map, "expert_precision", inference.precision).value_or(inference.precision);
  const Precision usual = multiplied == inference.precision ? inference.stored() : multiplied;
  const Precision stored = read_other_precision(map, "expert_weight_precision", usual).value_or(usual);
  if (multiplied == inference.precision && stored == inference.stored())
    return;
  inference.expert_precision = multiplied;
  if (stored != multiplied)
    inference.expert_weight_precision = stored;
}

Precision read_cache_precision(config::MapReader& map, Precision precision) {
  std::array<std::string_view, cache_precisions.size()> names;
  std::ranges::transform(cache_precisions, names.begin(), name_of);
  const Precision fallback = precision_outside_products(precision);
  const std::string chosen = map.choice_or("kv_cache_precision", name_of(fallback), names);
  for (const Precision candidate : cache_precisions)
    if (name_of(candidate) == chosen)
      return candidate;
  return fallback;
}

} // namespace

void read_inference(config::MapReader& map, const workloads::ParallelSizes& sizes, workloads::Inference& inference) {
  inference.batch_size = map.integer("batch_size", amount);
  inference.micro_batch_size =
      map.integer_or("micro_batch_size", default_micro_batch_size(inference.batch_size, sizes), amount);
  inference.prompt_length = map.integer("prompt_length", amount);
  inference.output_length = map.integer("output_length", amount);
  inference.precision = enum_choice(map, "precision", precisions);
  inference.weight_precision = read_other_precision(map, "weight_precision", inference.precision);
  read_expert_precision(map, inference);
  inference.kv_cache_precision = read_cache_precision(map, inference.precision);
  inference.kv_block_size = map.integer_or("kv_block_size", 16, {.min = 1, .max = 1'000'000}); // vLLM's default
  config::MapReader overlap = map.map_or_empty("overlap");
  inference.overlaps_two_batches = overlap.boolean_or("two_batch", false);
  overlap.finish();
}

} // namespace moesim::scenario
