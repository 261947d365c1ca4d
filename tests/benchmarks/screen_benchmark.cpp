// How many candidate layouts a second the screen bounds, on one core: of the model and the GPUs of a scenario, all that
// divide (tp, cp, pp, ep, etp, micro-batches), each with several kinds of recomputation, sharding and overlap.
//
//   screen_benchmark [Google Benchmark's options]
#include <cstdint>
#include <filesystem>
#include <vector>

#include <benchmark/benchmark.h>

#include "simulator/scenario/scenario.hpp"
#include "simulator/screen/screen.hpp"

namespace {

using namespace moesim;
using workloads::ParallelSizes;
using workloads::Recompute;
using workloads::Sharding;
using workloads::TrainingJob;

const scenario::Scenario& base() {
  static const scenario::Scenario scenario = scenario::load(
      std::filesystem::path(MOESIM_SOURCE_DIR) / "workloads/scenarios/moe30b-gpus512-tp8-pp4-ep16.yaml", {});
  return scenario;
}

std::vector<std::int64_t> powers_up_to(std::int64_t most) {
  std::vector<std::int64_t> powers;
  for (std::int64_t power = 1; power <= most; power *= 2)
    powers.push_back(power);
  return powers;
}

// As scenario::load() checks it; everything here is a power of two.
bool fits(const TrainingJob& job) {
  const ParallelSizes& sizes = job.sizes;
  return workloads::Layout::problems(sizes, workloads::default_rank_order).empty() &&
         job.training.seq_length % (2 * sizes.cp) == 0 && job.training.seq_length % (sizes.tp * sizes.cp) == 0 &&
         job.training.global_batch_size % (job.training.micro_batch_size * sizes.dp) == 0;
}

std::vector<ParallelSizes> all_sizes() {
  const workloads::ModelSpec& model = base().job().model;
  const std::int64_t gpus = base().cluster.gpu_count();
  std::vector<ParallelSizes> all;
  for (const std::int64_t tp : powers_up_to(model.num_heads))
    for (const std::int64_t cp : powers_up_to(8))
      for (const std::int64_t pp : powers_up_to(model.num_layers))
        for (const std::int64_t ep : powers_up_to(model.moe->num_experts))
          for (const std::int64_t etp : powers_up_to(4))
            if (gpus % (tp * cp * pp) == 0)
              all.push_back({.tp = tp, .cp = cp, .pp = pp, .ep = ep, .etp = etp, .dp = gpus / (tp * cp * pp)});
  return all;
}

std::vector<Recompute> all_recomputations() {
  Recompute selective{.granularity = Recompute::Granularity::Selective};
  selective.modules.add(workloads::RecomputeModule::MoeAct);
  selective.modules.add(workloads::RecomputeModule::Layernorm);
  return {{}, selective, {.granularity = Recompute::Granularity::Full}};
}

std::vector<TrainingJob> grid() {
  std::vector<TrainingJob> candidates;
  TrainingJob job = base().training_job();
  for (const ParallelSizes& sizes : all_sizes()) {
    job.sizes = sizes;
    job.sequence_parallel = sizes.tp > 1;
    for (const std::int64_t micro_batch_size : powers_up_to(8)) {
      job.training.micro_batch_size = micro_batch_size;
      if (!fits(job))
        continue;
      for (const Recompute& recompute : all_recomputations())
        for (const Sharding sharding : {Sharding::Zero1, Sharding::Zero3})
          for (const bool overlaps : {false, true}) {
            job.training.recompute = recompute;
            job.training.sharding = sharding;
            job.training.overlap = {.grad_reduce = overlaps, .param_gather = overlaps, .pp = overlaps};
            candidates.push_back(job);
          }
    }
  }
  return candidates;
}

// Each layout once, as it is without recomputation and overlap: the most to work out for a candidate.
std::vector<TrainingJob> layouts() {
  std::vector<TrainingJob> candidates = grid();
  std::erase_if(candidates, [](const TrainingJob& job) {
    return job.training.recompute.granularity != Recompute::Granularity::None ||
           job.training.sharding != Sharding::Zero1 || job.training.overlap.pp;
  });
  return candidates;
}

// A pass over all candidates, by a screen that has seen nothing or the same candidates before.
void screen_all(benchmark::State& state, const std::vector<TrainingJob>& candidates, bool is_warm) {
  screen::Screen kept(base().cluster);
  if (is_warm)
    for (const TrainingJob& job : candidates)
      benchmark::DoNotOptimize(kept.lower_bound(job));
  for (auto _ : state) {
    screen::Screen fresh(base().cluster);
    screen::Screen& screen = is_warm ? kept : fresh;
    for (const TrainingJob& job : candidates)
      benchmark::DoNotOptimize(screen.lower_bound(job));
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(candidates.size()));
  state.counters["candidates"] = static_cast<double>(candidates.size());
}

BENCHMARK_CAPTURE(screen_all, cold, grid(), false)->Name("Screen/cold")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(screen_all, warm, grid(), true)->Name("Screen/warm")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(screen_all, layouts, layouts(), false)->Name("Screen/cold_layouts")->Unit(benchmark::kMillisecond);

} // namespace

BENCHMARK_MAIN();
