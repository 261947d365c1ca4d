#include <array>

#include "simulator/scenario/later_fields.hpp"
#include "simulator/scenario/sections.hpp"

namespace moesim::scenario {
namespace {

Precision read_precision(config::MapReader& map) {
  constexpr std::array<std::string_view, 2> names{"bf16", "fp16"};
  return choice(map, "precision", "bf16", names, {"fp8", "fp32"}) == "fp16" ? Precision::Fp16 : Precision::Bf16;
}

workloads::Overlap read_overlap(config::MapReader map) {
  workloads::Overlap overlap;
  overlap.grad_reduce = map.boolean_or("grad_reduce", false);
  overlap.param_gather = map.boolean_or("param_gather", false);
  overlap.pp = map.boolean_or("pp", false);
  only_false(map, "tp");
  only_false(map, "expert");
  map.finish();
  return overlap;
}

} // namespace

void read_training(config::MapReader& map, workloads::Training& training) {
  training.global_batch_size = map.integer("global_batch_size", {.min = 1, .max = 100'000'000});
  training.micro_batch_size = map.integer_or("micro_batch_size", 1, {.min = 1, .max = 1'000'000});
  training.seq_length = map.integer("seq_length", {.min = 1, .max = 100'000'000});
  training.precision = read_precision(map);
  const std::vector<std::string_view> schedules = schedulers::schedule_names();
  training.schedule = choice(map, "schedule", "1f1b", schedules,
                             {"interleaved", "interleaved-1f1b", "zb-h1", "zb-h2", "zb-v", "dualpipe"});
  constexpr std::array<std::string_view, 2> recomputes{"none", "full"};
  const bool recomputes_all = choice(map, "recompute", "none", recomputes, {"selective"}) == "full";
  training.recompute = recomputes_all ? workloads::Recompute::Full : workloads::Recompute::None;
  constexpr std::array<std::string_view, 2> shardings{"none", "zero-1"};
  const bool is_sharded = choice(map, "sharding", "zero-1", shardings, {"zero-2", "zero-3"}) == "zero-1";
  training.sharding = is_sharded ? workloads::Sharding::Zero1 : workloads::Sharding::None;
  training.overlap = read_overlap(map.map_or_empty("overlap"));
  if (training.overlap.param_gather && training.sharding == workloads::Sharding::None)
    map.problem("overlap", "param_gather needs sharded parameters; use sharding: zero-1 or param_gather: false");
}

} // namespace moesim::scenario
