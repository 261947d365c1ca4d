// Gradients that are compressed on their way: what is sent, and what the kernels around it read and write.
#include <array>
#include <map>
#include <string>

#include <gtest/gtest.h>

#include "tests/workloads/test_job.hpp"
#include "workloads/rank_parameters.hpp"
#include "workloads/stage_memory.hpp"

namespace moesim::workloads {
namespace {

using graph::Memory;

constexpr std::array all_shardings{Sharding::None, Sharding::Zero1, Sharding::Zero2, Sharding::Zero3};

TrainingJob compressed(TrainingJob job, double factor) {
  job.training.grad_compression = factor;
  return job;
}

// Bytes of a stage's steps, by name; those of dense parameters and of experts together.
std::map<std::string, double> bytes_by_name(const TrainingJob& job, std::size_t stage) {
  const graph::Programs programs = training_iteration(job);
  std::map<std::string, double> bytes;
  for (const graph::Step& step : programs.stages[stage].steps()) {
    std::string name = programs.names[step.task.name];
    if (name == "reduce-expert-gradients")
      name = "reduce-gradients";
    bytes[name] += programs.works[step.task.work].bytes.value();
  }
  return bytes;
}

// The wire has a part of the bytes; a kernel reads the gradients and writes that part, another reads the part of what
// it receives (its share, where the sum is scattered) and writes gradients.
TEST(GradCompression, SendsAFactorAndReadsAndWritesTheRest) {
  constexpr double factor = 0.25;
  for (const Sharding sharding : all_shardings)
    for (const bool overlaps : {false, true})
      for (const ParallelSizes& sizes : {ParallelSizes{.dp = 4}, ParallelSizes{.tp = 2, .pp = 2, .ep = 2, .dp = 8}}) {
        const TrainingJob job = sharded(small_moe(), sizes, sharding, overlaps);
        std::map<std::string, double> plain = bytes_by_name(job, 0);
        std::map<std::string, double> by_name = bytes_by_name(compressed(job, factor), 0);
        EXPECT_DOUBLE_EQ(by_name["reduce-gradients"], factor * plain["reduce-gradients"]);
        EXPECT_DOUBLE_EQ(by_name["compress-gradients"], (1 + factor) * plain["reduce-gradients"]);
        const RankParameters stage = stage_parameters(job, 0);
        const double received = 4 * optimizer_share(job, stage);
        const double times = sharding >= Sharding::Zero2 ? static_cast<double>(job.training.micro_batches(sizes)) : 1;
        EXPECT_NEAR(by_name["decompress-gradients"] / ((1 + factor) * times * received), 1, 1e-12) << name_of(sharding);
        EXPECT_EQ(by_name["gather-parameters"], plain["gather-parameters"]);
      }
}

TEST(GradCompression, OfNobodyElsesGradientsIsNone) {
  std::map<std::string, double> by_name = bytes_by_name(compressed(sharded(small_moe(), {}, Sharding::Zero1), 0.5), 0);
  EXPECT_FALSE(by_name.contains("compress-gradients"));
  EXPECT_FALSE(by_name.contains("decompress-gradients"));
  // Experts that exist once are not sent: dense parts only.
  const TrainingJob job = sharded(small_moe(), {.ep = 8, .dp = 8}, Sharding::None);
  by_name = bytes_by_name(compressed(job, 0.5), 0);
  EXPECT_DOUBLE_EQ(by_name["compress-gradients"], 1.5 * 4 * stage_parameters(job, 0).dense);
}

// What is sent is held from the one kernel to the other, and no longer.
TEST(GradCompression, HoldsWhatIsSentMeanwhile) {
  for (const Sharding sharding : all_shardings)
    for (const bool overlaps : {false, true}) {
      const TrainingJob job = compressed(sharded(small_dense(), {.pp = 2, .dp = 4}, sharding, overlaps), 0.5);
      const graph::Programs programs = training_iteration(job);
      for (const graph::Program& program : programs.stages) {
        graph::MemoryUse held;
        for (const graph::Step& step : program.steps()) {
          held += programs.works[step.task.work].allocated;
          held -= programs.works[step.task.work].freed;
        }
        EXPECT_NEAR(held[Memory::Gradients].value(), 0, 1e-6);
      }
    }
  const TrainingJob job = sharded(small_dense(), {.dp = 4}, Sharding::Zero1);
  const auto gradients = [](const TrainingJob& of) { return stage_memories(of)[0].at_rest[Memory::Gradients]; };
  EXPECT_EQ(gradients(compressed(job, 0.5)), gradients(job));
}

// Each sum is sent after its compression, and the optimizer steps after its decompression.
TEST(GradCompression, ComesBeforeAndAfter) {
  for (const Sharding sharding : all_shardings) {
    const graph::Programs programs =
        training_iteration(compressed(sharded(small_dense(), {.dp = 4}, sharding, true), 0.5));
    const graph::Program& program = programs.stages.front();
    int waiting = 0; // compressed, and not yet decompressed
    int reduced = 0;
    for (graph::Program::StepIndex index = 0; index < program.steps().size(); ++index) {
      const std::string& name = programs.names[program.steps()[index].task.name];
      if (name == "compress-gradients")
        ++waiting;
      if (name == "reduce-gradients") {
        ++reduced;
        bool follows = false;
        for (const graph::Program::StepIndex before : program.dependencies(index))
          follows = follows || programs.names[program.steps()[before].task.name] == "compress-gradients";
        EXPECT_TRUE(follows) << index;
      }
      if (name == "decompress-gradients")
        waiting = 0;
      if (name == "adam") {
        EXPECT_EQ(waiting, 0) << name_of(sharding);
      }
    }
    EXPECT_GT(reduced, 1);
  }
}

} // namespace
} // namespace moesim::workloads
