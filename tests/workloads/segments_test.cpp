#include "workloads/segments.hpp"

#include <gmock/gmock.h>

#include "tests/workloads/test_job.hpp"

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
  EXPECT_THAT(names(layer_forward(small_moe(), shape)),
              ElementsAre("compute elementwise", "all-gather gather-sequence", "compute attention",
                          "reduce-scatter sum-attention", "compute router", "all-to-all dispatch", "compute experts",
                          "all-to-all combine", "compute unpermute"));
  EXPECT_THAT(names(layer_backward(small_moe(), shape)),
              ElementsAre("compute unpermute", "all-to-all combine", "compute experts", "all-to-all dispatch",
                          "compute router", "all-gather gather-gradient", "compute attention",
                          "all-gather gather-sequence", "compute attention", "reduce-scatter sum-gradient",
                          "compute elementwise"));
}

TEST(Segments, WithoutSequenceParallelismSumsGoToAll) {
  MicroBatchShape shape = job_of(small_dense(), {.tp = 2}).micro_batch();
  shape.sequence_parallel = false;
  EXPECT_THAT(names(layer_forward(small_dense(), shape)),
              ElementsAre("compute attention", "all-reduce sum-attention", "compute mlp", "all-reduce sum-mlp",
                          "compute elementwise"));
}

TEST(Segments, AloneALayerDoesNotCommunicate) {
  const MicroBatchShape shape = job_of(small_moe(), {}).micro_batch();
  EXPECT_THAT(names(layer_forward(small_moe(), shape)),
              ElementsAre("compute attention", "compute router", "compute experts", "compute unpermute"));
}

TEST(Segments, CommunicatedBytesAreThoseOfTheActivations) {
  const ModelSpec model = small_moe();
  const MicroBatchShape shape = job_of(model, {.tp = 2, .ep = 4, .dp = 2}).micro_batch();
  for (const Segments& segments : {layer_forward(model, shape), layer_backward(model, shape)}) {
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

// Splitting a layer over ranks changes who does the work, not how much there is.
TEST(Segments, FlopsAreConservedWhateverTheSplit) {
  for (const ModelSpec& model : {small_dense(), small_moe()}) {
    const MicroBatchShape alone = job_of(model, {}).micro_batch();
    for (const ParallelSizes& sizes : {ParallelSizes{.tp = 2}, ParallelSizes{.tp = 4}, ParallelSizes{.ep = 4, .dp = 4},
                                       ParallelSizes{.tp = 2, .ep = 8, .dp = 4}}) {
      if (!model.moe && sizes.ep > 1)
        continue;
      const MicroBatchShape split = job_of(model, sizes).micro_batch();
      const auto ranks = static_cast<double>(sizes.tp); // replicas do their own micro-batches
      EXPECT_DOUBLE_EQ(ranks * flops(layer_forward(model, split)).value(), flops(layer_forward(model, alone)).value());
      EXPECT_DOUBLE_EQ(ranks * flops(layer_backward(model, split)).value(),
                       flops(layer_backward(model, alone)).value());
      EXPECT_DOUBLE_EQ(ranks * flops(head_forward(model, split)).value(), flops(head_forward(model, alone)).value());
    }
  }
}

TEST(Segments, TheGradientTakesTwiceTheFlops) {
  const MicroBatchShape shape = job_of(small_moe(), {.tp = 2, .ep = 4, .dp = 2}).micro_batch();
  EXPECT_DOUBLE_EQ(flops(layer_backward(small_moe(), shape)).value(),
                   2 * flops(layer_forward(small_moe(), shape)).value());
  EXPECT_DOUBLE_EQ(flops(head_backward(small_moe(), shape)).value(),
                   2 * flops(head_forward(small_moe(), shape)).value());
}

// What forward takes, backward gives back.
TEST(Segments, ActivationsReturn) {
  const MicroBatchShape shape = job_of(small_moe(), {.tp = 2, .ep = 4, .dp = 2}).micro_batch();
  const auto balance = [](const Segments& forward, const Segments& backward) {
    Bytes sum;
    for (const Segments& segments : {forward, backward})
      for (const Segment& segment : segments)
        sum += segment.work.allocated - segment.work.freed;
    return sum;
  };
  EXPECT_EQ(balance(layer_forward(small_moe(), shape), layer_backward(small_moe(), shape)), Bytes(0));
  EXPECT_EQ(balance(head_forward(small_moe(), shape), head_backward(small_moe(), shape)), Bytes(0));
  EXPECT_GT(layer_forward(small_moe(), shape).front().work.allocated, Bytes(0));
}

} // namespace
} // namespace moesim::workloads
