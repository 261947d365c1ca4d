#include "workloads/segments.hpp"

#include <gmock/gmock.h>

#include "tests/workloads/test_job.hpp"
#include "workloads/rank_shape.hpp"

namespace moesim::workloads {
namespace {

using testing::ElementsAre;

std::vector<std::string> names(const Segments& segments) {
  std::vector<std::string> result;
  for (const Segment& segment : segments)
    result.push_back(std::string(graph::name_of(segment.kind)) + " " + segment.name);
  return result;
}

Flops flops(const Segments& segments) {
  Flops sum;
  for (const Segment& segment : segments)
    sum += segment.work.flops;
  return sum;
}

TEST(Segments, AMixtureOfExpertsLayerCommunicatesAsMegatronDoes) {
  const MicroBatchShape shape = job_of(small_moe(), {.tp = 2, .ep = 4, .dp = 2}).micro_batch();
  EXPECT_THAT(names(layer_forward(small_moe(), shape, small_moe().kind_of(0))),
              ElementsAre("compute elementwise", "all-gather gather-sequence", "compute attention",
                          "reduce-scatter sum-attention", "compute router", "all-to-all dispatch", "compute experts",
                          "all-to-all combine", "compute unpermute"));
  EXPECT_THAT(names(layer_backward(small_moe(), shape, small_moe().kind_of(0))),
              ElementsAre("compute unpermute", "all-to-all combine", "compute experts", "all-to-all dispatch",
                          "compute router", "all-gather gather-gradient", "compute attention",
                          "all-gather gather-sequence", "compute attention", "reduce-scatter sum-gradient",
                          "compute elementwise"));
}

TEST(Segments, WithoutSequenceParallelismSumsGoToAll) {
  MicroBatchShape shape = job_of(small_dense(), {.tp = 2}).micro_batch();
  shape.sequence_parallel = false;
  EXPECT_THAT(names(layer_forward(small_dense(), shape, small_dense().kind_of(0))),
              ElementsAre("compute attention", "all-reduce sum-attention", "compute mlp", "all-reduce sum-mlp",
                          "compute elementwise"));
}

TEST(Segments, AloneALayerDoesNotCommunicate) {
  const MicroBatchShape shape = job_of(small_moe(), {}).micro_batch();
  EXPECT_THAT(names(layer_forward(small_moe(), shape, small_moe().kind_of(0))),
              ElementsAre("compute attention", "compute router", "compute experts", "compute unpermute"));
}

TEST(Segments, CommunicatedBytesAreThoseOfTheActivations) {
  const ModelSpec model = small_moe();
  const MicroBatchShape shape = job_of(model, {.tp = 2, .ep = 4, .dp = 2}).micro_batch();
  for (const Segments& segments :
       {layer_forward(model, shape, model.kind_of(0)), layer_backward(model, shape, model.kind_of(0))}) {
    for (const Segment& segment : segments) {
      if (segment.over == graph::Dimension::Ep) { // 16 local tokens, each to 2 experts, 64 wide, 2 bytes
        EXPECT_EQ(segment.work.bytes, Bytes(16 * 2 * 64 * 2)) << segment.name;
      } else if (segment.kind != graph::Kind::Compute) { // 32 tokens
        EXPECT_EQ(segment.work.bytes, Bytes(32 * 64 * 2)) << segment.name;
      }
    }
  }
  EXPECT_EQ(boundary_bytes(model, shape), Bytes(16 * 64 * 2));
}

// Latents are gathered instead of hidden states, and shared experts are a tensor-parallel MLP before the router.
TEST(Segments, ALatentLayerWithSharedExpertsCommunicatesAsMegatronDoes) {
  const ModelSpec model = small_latent();
  const MicroBatchShape shape = job_of(model, {.tp = 2, .ep = 4, .dp = 2}).micro_batch();
  const Segments forward = layer_forward(model, shape, {.has_experts = true});
  EXPECT_THAT(names(forward),
              ElementsAre("compute attention", "all-gather gather-latents", "compute attention",
                          "reduce-scatter sum-attention", "compute elementwise", "all-gather gather-sequence",
                          "compute shared-experts", "reduce-scatter sum-shared-experts", "compute router",
                          "all-to-all dispatch", "compute experts", "all-to-all combine", "compute unpermute"));
  EXPECT_EQ(forward[1].work.bytes, Bytes(32 * (24 + 16 + 4) * 2)); // 32 tokens, ranks 24 and 16, a key of 4
  EXPECT_THAT(names(layer_backward(model, shape, {.has_experts = true})),
              ElementsAre("compute unpermute", "all-to-all combine", "compute experts", "all-to-all dispatch",
                          "compute router", "all-gather gather-gradient", "compute shared-experts",
                          "all-gather gather-sequence", "compute shared-experts", "reduce-scatter sum-gradient",
                          "compute elementwise", "all-gather gather-gradient", "compute attention",
                          "all-gather gather-latents", "compute attention", "reduce-scatter sum-gradient",
                          "compute attention"));
}

// Splitting a layer over ranks changes who does the work, not how much there is.
TEST(Segments, FlopsAreConservedWhateverTheSplit) {
  for (const ModelSpec& model : small_models()) {
    const MicroBatchShape alone = job_of(model, {}).micro_batch();
    for (const ParallelSizes& sizes : {ParallelSizes{.tp = 2}, ParallelSizes{.tp = 4}, ParallelSizes{.ep = 4, .dp = 4},
                                       ParallelSizes{.tp = 2, .ep = 8, .dp = 4}}) {
      if (!model.moe && sizes.ep > 1)
        continue;
      const MicroBatchShape split = job_of(model, sizes).micro_batch();
      const auto ranks = static_cast<double>(sizes.tp); // replicas do their own micro-batches
      for (std::int64_t layer = 0; layer < model.num_layers; ++layer) {
        const LayerKind kind = model.kind_of(layer);
        EXPECT_DOUBLE_EQ(ranks * flops(layer_forward(model, split, kind)).value(),
                         flops(layer_forward(model, alone, kind)).value());
        EXPECT_DOUBLE_EQ(ranks * flops(layer_backward(model, split, kind)).value(),
                         flops(layer_backward(model, alone, kind)).value());
      }
      EXPECT_DOUBLE_EQ(ranks * flops(head_forward(model, split)).value(), flops(head_forward(model, alone)).value());
    }
  }
}

// A window no longer than the sequence changes nothing; a short one costs about its length for each query.
TEST(Segments, AWindowBoundsAttention) {
  ModelSpec model = small_windowed();
  const MicroBatchShape shape = job_of(model, {}).micro_batch();
  const Flops full = flops(layer_forward(model, shape, {.has_experts = true}));
  const Flops windowed = flops(layer_forward(model, shape, {.has_experts = true, .reach = Reach::Sliding}));
  EXPECT_DOUBLE_EQ((full - windowed).value(), 4 * 64 * (32 * 32 / 2.0 - (32 * 8 - 8 * 8 / 2.0))); // pairs, 64 wide
  model.attention_span = 32;
  EXPECT_EQ(flops(layer_forward(model, shape, {.has_experts = true, .reach = Reach::Sliding})), full);
}

TEST(Segments, TheGradientTakesTwiceTheFlops) {
  for (const ModelSpec& model : small_models()) {
    const MicroBatchShape shape = job_of(model, {.tp = 2, .ep = model.moe ? 4 : 1, .dp = 2}).micro_batch();
    for (std::int64_t layer = 0; layer < model.num_layers; ++layer)
      EXPECT_DOUBLE_EQ(flops(layer_backward(model, shape, model.kind_of(layer))).value(),
                       2 * flops(layer_forward(model, shape, model.kind_of(layer))).value());
    EXPECT_DOUBLE_EQ(flops(head_backward(model, shape)).value(), 2 * flops(head_forward(model, shape)).value());
  }
}

// The input in BF16 is read once, in NVFP4 twice (first for its largest), and two copies are written.
TEST(Segments, CastsTheInputOfAProduct) {
  const GemmShape shape{.rows = 128, .n = 256, .k = 64};
  const auto cast_in = [&](Precision precision) {
    MicroBatchShape job = job_of(small_dense(), {}).micro_batch();
    job.precision = precision;
    const ModelSpec model = small_dense();
    SegmentList list(job);
    linear_forward(list, RankShape{model, job, {}}, "linear", shape);
    return (list.finish()[0].work.bytes - gemm_forward(shape, precision).bytes).value() / (128 * 64);
  };
  EXPECT_EQ(cast_in(Precision::Bf16), 0);
  EXPECT_EQ(cast_in(Precision::Fp8), 2 + 2);
  EXPECT_EQ(cast_in(Precision::Fp8Block), 2 + 2 * (1 + 4.0 / 128));
  EXPECT_EQ(cast_in(Precision::Mxfp8), 2 + 2 * (1 + 1.0 / 32));
  EXPECT_EQ(cast_in(Precision::Nvfp4), 2 * 2 + 2 * (0.5 + 1.0 / 16));
}

// What forward takes, backward gives back, whatever is recomputed; and what lasts no longer than a task is given back
// by it.
TEST(Segments, MemoryReturns) {
  for (const ModelSpec& model : small_models()) {
    MicroBatchShape shape =
        job_of(model, {.tp = 2, .ep = model.moe ? 4 : 1, .etp = model.moe ? 2 : 1, .dp = 4}).micro_batch();
    for (std::size_t recomputed = 0; recomputed <= recompute_module_count; ++recomputed) {
      shape.recomputed = {};
      if (recomputed < recompute_module_count)
        shape.recomputed.add(static_cast<RecomputeModule>(recomputed));
      for (std::int64_t layer = 0; layer < model.num_layers; ++layer) {
        const LayerKind kind = model.kind_of(layer);
        graph::MemoryUse balance;
        for (const Segments& segments : {layer_forward(model, shape, kind), layer_backward(model, shape, kind)}) {
          for (const Segment& segment : segments) {
            balance += segment.work.allocated;
            balance -= segment.work.freed;
          }
        }
        EXPECT_EQ(balance, graph::MemoryUse()) << model.model_type << " recomputes " << recomputed;
        EXPECT_GT(layer_activations(model, shape, kind), Bytes(0));
      }
      EXPECT_EQ(kept_by(head_forward(model, shape)) + kept_by(head_backward(model, shape)), Bytes(0));
    }
  }
}

} // namespace
} // namespace moesim::workloads
