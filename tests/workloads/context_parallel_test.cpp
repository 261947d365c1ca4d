// Ranks that share a sequence exchange keys and values; those that share an expert, tokens.
#include <gmock/gmock.h>

#include "tests/workloads/test_job.hpp"

namespace moesim::workloads {
namespace {

using testing::ElementsAre;

// Names of the collectives, with their bytes: "ring-exchange pass-keys-values 512".
std::vector<std::string> collectives(const Segments& segments) {
  std::vector<std::string> result;
  for (const Segment& segment : segments)
    if (segment.kind != graph::Kind::Compute)
      result.push_back(std::string(name_of(segment.kind)) + " " + segment.name + " " +
                       std::to_string(static_cast<std::int64_t>(segment.work.bytes.value())));
  return result;
}

TrainingJob on_four_ranks(CpCommType type) {
  TrainingJob job = job_of(small_dense(), {.cp = 4});
  job.training.cp_comm_type = type;
  return job;
}

// A rank has 8 tokens; keys and values are 2 x 4 heads x 8 channels x 2 bytes each token: 1024 bytes.
TEST(ContextParallelism, RingPassesKeysAndValuesOnBesideTheKernels) {
  const TrainingJob job = on_four_ranks(CpCommType::P2p);
  const Segments forward = layer_forward(job.model, job.micro_batch(), {});
  EXPECT_THAT(collectives(forward),
              ElementsAre("ring-exchange pass-keys-values 1024", "ring-exchange pass-keys-values 1024",
                          "ring-exchange pass-keys-values 1024"));
  for (const Segment& segment : forward)
    EXPECT_EQ(segment.beside_next, segment.kind == graph::Kind::RingExchange);
  // With their gradients, which have one hop more to make.
  EXPECT_THAT(collectives(layer_backward(job.model, job.micro_batch(), {})),
              ElementsAre("ring-exchange pass-keys-values 2048", "ring-exchange pass-keys-values 2048",
                          "ring-exchange pass-keys-values 2048", "ring-exchange return-gradients 1024"));
}

// What one step receives is read by the kernel of the next, while the step after receives.
TEST(ContextParallelism, AKernelOfTheRingReadsWhatCameBeforeIt) {
  const TrainingJob job = on_four_ranks(CpCommType::P2p);
  std::vector<double> workspace;
  for (const Segment& segment : layer_forward(job.model, job.micro_batch(), {}))
    if (segment.name == "attention")
      workspace.push_back(segment.work.allocated[graph::Memory::Workspace].value());
  EXPECT_THAT(workspace, ElementsAre(0, 0, 1024, 1024, 1024)); // projections, and four steps
}

TEST(ContextParallelism, KeysAndValuesAreGatheredAndTheirGradientsSummed) {
  const TrainingJob job = on_four_ranks(CpCommType::AllGather);
  EXPECT_THAT(collectives(layer_forward(job.model, job.micro_batch(), {})),
              ElementsAre("all-gather gather-keys-values 4096"));
  EXPECT_THAT(collectives(layer_backward(job.model, job.micro_batch(), {})),
              ElementsAre("all-gather gather-keys-values 4096", "reduce-scatter sum-key-value-gradients 4096"));
}

// Queries, keys and values of 8 tokens: (8 + 4 + 4) heads x 8 channels x 2 bytes; outputs 8 heads.
TEST(ContextParallelism, HeadsAreTradedForTokensAndBack) {
  const TrainingJob job = on_four_ranks(CpCommType::A2a);
  EXPECT_THAT(collectives(layer_forward(job.model, job.micro_batch(), {})),
              ElementsAre("all-to-all heads-for-tokens 2048", "all-to-all tokens-for-heads 1024"));
  EXPECT_THAT(collectives(layer_backward(job.model, job.micro_batch(), {})),
              ElementsAre("all-to-all heads-for-tokens 1024", "all-to-all tokens-for-heads 2048"));
}

// However the sequence is split, a rank's share of the activations is the same: the ranks together keep as much as one.
TEST(ContextParallelism, SplitsTheActivations) {
  for (const CpCommType type : {CpCommType::P2p, CpCommType::AllGather, CpCommType::A2a}) {
    const TrainingJob job = on_four_ranks(type);
    const TrainingJob alone = job_of(small_dense(), {});
    EXPECT_EQ(layer_activations(job.model, job.micro_batch(), {}) * 4,
              layer_activations(alone.model, alone.micro_batch(), {}));
  }
}

// 16 tokens on each of 2 tensor ranks, each to 2 experts: 32 copies of 64 x 2 bytes leave; the two ranks that share an
// expert's columns collect 64.
TEST(ExpertTensorParallelism, RanksOfAnExpertCollectItsTokensAndSumItsOutputs) {
  const TrainingJob job = job_of(small_moe(), {.tp = 2, .ep = 4, .etp = 2, .dp = 4});
  EXPECT_THAT(collectives(layer_forward(job.model, job.micro_batch(), {.has_experts = true})),
              ElementsAre("all-gather gather-sequence 4096", "reduce-scatter sum-attention 4096",
                          "all-to-all dispatch 4096", "all-gather gather-tokens 8192",
                          "reduce-scatter sum-experts 8192", "all-to-all combine 4096"));
  EXPECT_THAT(collectives(layer_backward(job.model, job.micro_batch(), {.has_experts = true})),
              ElementsAre("all-to-all combine 4096", "all-gather gather-gradients 8192",
                          "reduce-scatter sum-gradients 8192", "all-to-all dispatch 4096",
                          "all-gather gather-gradient 4096", "all-gather gather-sequence 4096",
                          "reduce-scatter sum-gradient 4096"));
}

} // namespace
} // namespace moesim::workloads
