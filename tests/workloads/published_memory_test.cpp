// Memory as published: what PyTorch said it had allocated at most, on real GPUs.
#include <gtest/gtest.h>

#include "simulator/config/node.hpp"
#include "workloads/stage_memory.hpp"

namespace moesim::workloads {
namespace {

struct Published {
  const char* model; // of the catalogue
  std::int64_t layers;
  ParallelSizes sizes;
  std::int64_t seq_length;
  double gibibytes;
};

// Llama 3 cut to 12 and 4 layers on eight B200, BF16 with FP32 gradients, distributed optimizer, four micro-batches of
// one sequence (MooreThreads/SimuMax, "real_peak_allocated"). Nothing is fitted to these. Its Llama 3.1 405B has 16
// key-value heads, as the first release had.
TEST(PublishedMemory, OfLlamaOnEightB200) {
  for (const auto& [name, layers, sizes, seq_length, gibibytes] : {
           Published{"llama-3.1-70b", 12, {.tp = 2, .dp = 4}, 4096, 60.68},
           Published{"llama-3.1-70b", 12, {.tp = 4, .dp = 2}, 4096, 39.07},
           Published{"llama-3.1-70b", 12, {.tp = 8}, 4096, 28.29},
           Published{"llama-3.1-70b", 12, {.tp = 2, .cp = 4}, 32768, 68.43},
           Published{"llama-3.1-405b", 4, {.tp = 4, .dp = 2}, 4096, 52.89},
           Published{"llama-3.1-405b", 4, {.tp = 8}, 4096, 38.57},
       }) {
    const config::Node root = config::parse_yaml(std::string("model: ") + name, "test.yaml");
    Problems problems;
    std::vector<std::string> ignored;
    TrainingJob job;
    job.model = read_model(*root.find("model"), "model", problems, ignored);
    job.model.num_layers = layers;
    if (job.model.hidden_size == 16384)
      job.model.num_kv_heads = 16;
    job.sizes = sizes;
    job.sequence_parallel = true;
    job.training.global_batch_size = 4 * sizes.dp;
    job.training.seq_length = seq_length;
    const double estimated = stage_memories(job).front().at_peak.total().value() / (1 << 30);
    EXPECT_NEAR(estimated / gibibytes, 1, 0.05) << name << " tp " << sizes.tp << " cp " << sizes.cp;
  }
}

} // namespace
} // namespace moesim::workloads
