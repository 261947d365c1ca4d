#include "workloads/split_backward.hpp"

#include <gmock/gmock.h>

#include "tests/workloads/test_job.hpp"

namespace moesim::workloads {
namespace {

using graph::Memory;

graph::Work sum_of(const Segments& segments) {
  graph::Work sum;
  for (const Segment& segment : segments) {
    sum.flops += segment.work.flops;
    sum.bytes += segment.work.bytes;
    sum.allocated += segment.work.allocated;
    sum.freed += segment.work.freed;
  }
  return sum;
}

TEST(SplitBackward, PutsEveryProductOfWeightsIntoTheSecondPart) {
  for (const ModelSpec& model : small_models()) {
    const MicroBatchShape shape = job_of(model, {.tp = 2, .ep = model.moe ? 2 : 1, .dp = 2}).micro_batch();
    const LayerKind kind = model.kind_of(model.num_layers - 1);
    const Segments whole = layer_backward(model, shape, kind);
    const SplitBackward split = split_backward(whole);
    ASSERT_EQ(split.weight.size(), 1u);
    for (const Segment& segment : split.input)
      EXPECT_EQ(std::ranges::count(segment.work.operators, true, &Operator::gives_weight_gradient), 0);
    EXPECT_EQ(std::ranges::count(split.weight.front().work.operators, false, &Operator::gives_weight_gradient), 0);
    const graph::Work all = sum_of(whole);
    const graph::Work input = sum_of(split.input);
    const graph::Work weight = sum_of(split.weight);
    EXPECT_NEAR((input.flops + weight.flops) / all.flops, 1, 1e-12);
    EXPECT_NEAR((input.bytes + weight.bytes) / all.bytes, 1, 1e-12);
    EXPECT_GT(weight.flops / all.flops, 0.2); // a third or so of linear layers, none of attention
    EXPECT_LT(weight.flops / all.flops, 0.51);
    // What is kept from the first part to the second is given back there.
    const auto net = [](const graph::Work& work) {
      return work.allocated[Memory::Activations] - work.freed[Memory::Activations];
    };
    EXPECT_EQ(net(input) + net(weight), net(all));
    EXPECT_GT(weight.freed[Memory::Activations], Bytes());
  }
}

// dW[k, n] of 32 tokens needs their inputs, k wide, and their gradients, n wide.
TEST(SplitBackward, KeepsBothFactorsOfEachProduct) {
  const ModelSpec model = small_dense();
  const SplitBackward split = split_backward(head_backward(model, job_of(model, {}).micro_batch()));
  EXPECT_EQ(split.weight.front().work.freed[Memory::Activations], Bytes(2 * 32 * (64 + 512)));
}

} // namespace
} // namespace moesim::workloads
