// Two halves of a micro-batch in turns.
#include "workloads/two_batch.hpp"

#include <gmock/gmock.h>

#include "tests/workloads/test_job.hpp"
#include "workloads/inference.hpp"
#include "workloads/stage_memory.hpp"

namespace moesim::workloads {
namespace {

using graph::Memory;
using testing::ElementsAre;

InferenceJob batch_of(const ModelSpec& model, const ParallelSizes& sizes, bool in_two_batches) {
  InferenceJob job;
  job.model = model;
  job.sizes = sizes;
  job.sequence_parallel = sizes.tp > 1;
  job.inference = {.batch_size = 8 * sizes.dp,
                   .micro_batch_size = 4,
                   .prompt_length = 32,
                   .output_length = 20,
                   .overlaps_two_batches = in_two_batches};
  return job;
}

std::vector<std::string> names(const graph::Programs& programs) {
  std::vector<std::string> result;
  for (const graph::Step& step : programs.stages[0].steps())
    result.push_back(programs.names[step.task.name]);
  return result;
}

std::vector<graph::Program::StepIndex> waits(const graph::Programs& programs, graph::Program::StepIndex step) {
  const auto all = programs.stages[0].dependencies(step);
  return {all.begin(), all.end()};
}

TEST(TwoBatch, OneHalfComputesWhileTheOtherIsOnItsWay) {
  InferenceJob job = batch_of(small_moe(), {.ep = 2, .dp = 2}, true);
  job.model.num_layers = 2;
  job.inference.batch_size = 8;
  job.inference.output_length = 1;
  const graph::Programs programs = inference_run(job);
  EXPECT_THAT(names(programs),
              ElementsAre("embedding", "attention", "router", "dispatch", "attention", "router", "dispatch", "experts",
                          "combine", "experts", "combine", "unpermute", "attention", "router", "dispatch", "unpermute",
                          "attention", "router", "dispatch", "experts", "combine", "experts", "combine", "unpermute",
                          "unpermute", "head", "sample"));
  EXPECT_THAT(waits(programs, 4), ElementsAre(2));       // attention of the second half: not for the dispatch before it
  EXPECT_THAT(waits(programs, 6), ElementsAre(3, 5));    // its dispatch, for that of the first: they share a stream
  EXPECT_THAT(waits(programs, 7), ElementsAre(3, 5));    // experts of the first half
  EXPECT_THAT(waits(programs, 9), ElementsAre(6, 7));    // and of the second
  EXPECT_THAT(waits(programs, 11), ElementsAre(8, 9));   // what follows the first half's combine
  EXPECT_THAT(waits(programs, 24), ElementsAre(22, 23)); // the last kernels of both ...
  EXPECT_THAT(waits(programs, 25), ElementsAre(24));     // ... and the head, for all sequences
}

struct Sums {
  double flops = 0;
  double sent = 0; // to experts and back
  double cache = 0;
};

Sums sums(const InferenceJob& job, StepRange steps) {
  Sums sums;
  visit_stages(job, steps, [&](const graph::Program& program, const graph::Programs& tables) {
    for (const graph::Step& step : program.steps()) {
      const graph::Work& work = tables.works[step.task.work];
      sums.flops += work.flops.value();
      sums.cache += work.allocated[Memory::KvCache].value();
      if (runs_beside_other_half(step.task.kind, step.over))
        sums.sent += work.bytes.value();
    }
  });
  return sums;
}

TEST(TwoBatch, ComputesSendsAndKeepsTheSame) {
  for (const ModelSpec& model : {small_moe(), small_latent(), small_shared(), small_windowed(), small_chunked()})
    for (const ParallelSizes& sizes :
         {ParallelSizes{.tp = 2, .pp = 2, .ep = 4, .dp = 2}, ParallelSizes{.ep = 2, .etp = 2, .dp = 4}})
      for (const StepRange steps : {StepRange{1, 1}, StepRange{2, 20}}) {
        const Sums halves = sums(batch_of(model, sizes, true), steps);
        const Sums whole = sums(batch_of(model, sizes, false), steps);
        EXPECT_NEAR(halves.flops / whole.flops, 1, 1e-12) << model.model_type;
        EXPECT_DOUBLE_EQ(halves.sent, whole.sent) << model.model_type;
        EXPECT_DOUBLE_EQ(halves.cache, whole.cache) << model.model_type;
      }
}

TEST(TwoBatch, CountsItsRowsWithoutBuildingThem) {
  InferenceJob job = batch_of(small_latent(), {.tp = 2, .pp = 2, .ep = 4, .dp = 2}, true);
  std::size_t steps = 0;
  for (const graph::Program& program : inference_run(job).stages)
    steps += program.steps().size();
  EXPECT_EQ(row_count(job), static_cast<std::int64_t>(steps) * 4);
}

// At rest it is the same; at the fullest moment half as many tokens are at hand at a time.
TEST(TwoBatch, NeedsNoMoreMemory) {
  InferenceJob job = batch_of(small_moe(), {.ep = 2, .dp = 2}, false);
  const StageMemory whole = stage_memories(job)[0];
  job.inference.overlaps_two_batches = true;
  const StageMemory halves = stage_memories(job)[0];
  EXPECT_EQ(halves.at_rest, whole.at_rest);
  EXPECT_EQ(halves.at_peak[Memory::KvCache], whole.at_peak[Memory::KvCache]);
  EXPECT_LE(halves.at_peak.total(), whole.at_peak.total());
}

} // namespace
} // namespace moesim::workloads
