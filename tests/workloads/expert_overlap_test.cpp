// All-to-alls of one half of a micro-batch beside the experts of the other.
#include <string>

#include <gmock/gmock.h>

#include "tests/workloads/test_job.hpp"

namespace moesim::workloads {
namespace {

using testing::ElementsAre;

// "+": runs beside what follows.
std::vector<std::string> names(const Segments& segments) {
  std::vector<std::string> result;
  for (const Segment& segment : segments)
    result.push_back(segment.name + (segment.beside_next ? "+" : ""));
  return result;
}

MicroBatchShape overlapped(MicroBatchShape shape) {
  shape.overlaps_experts = true;
  return shape;
}

constexpr LayerKind with_experts{.has_experts = true};

TEST(ExpertOverlap, HalvesTravelBesideEachOther) {
  const ModelSpec model = small_moe();
  const MicroBatchShape shape = overlapped(job_of(model, {.ep = 4, .dp = 4}).micro_batch());
  EXPECT_THAT(names(layer_forward(model, shape, with_experts)),
              ElementsAre("attention", "router", "dispatch", "dispatch+", "experts", "combine+", "experts", "combine",
                          "unpermute"));
  EXPECT_THAT(names(layer_backward(model, shape, with_experts)),
              ElementsAre("unpermute", "combine", "combine+", "experts", "dispatch+", "experts", "dispatch", "router",
                          "attention"));
}

TEST(ExpertOverlap, RanksOfAnExpertGatherAndSumByHalves) {
  const ModelSpec model = small_moe();
  const MicroBatchShape shape = overlapped(job_of(model, {.ep = 2, .etp = 2, .dp = 4}).micro_batch());
  EXPECT_THAT(names(layer_forward(model, shape, with_experts)),
              ElementsAre("attention", "router", "dispatch", "gather-tokens", "dispatch+", "gather-tokens+", "experts",
                          "sum-experts+", "combine+", "experts", "sum-experts", "combine", "unpermute"));
}

TEST(ExpertOverlap, NothingIsCutThatIsNotSentOrCannotBe) {
  const ModelSpec model = small_moe();
  for (const ParallelSizes& sizes : {ParallelSizes{.dp = 4}, ParallelSizes{.ep = 4, .dp = 4}}) {
    TrainingJob job = job_of(model, sizes);
    job.training.seq_length = sizes.ep > 1 ? 1 : 32; // a single token
    const MicroBatchShape shape = job.micro_batch();
    EXPECT_EQ(names(layer_forward(model, overlapped(shape), with_experts)),
              names(layer_forward(model, shape, with_experts)));
  }
}

struct Sums {
  double flops = 0;
  double sent = 0; // over ep and etp
  graph::MemoryUse memory;
  bool operator==(const Sums&) const = default;
};

Sums sums(const Segments& segments) {
  Sums sums;
  for (const Segment& segment : segments) {
    sums.flops += segment.work.flops.value();
    if (segment.over == graph::Dimension::Ep || segment.over == graph::Dimension::Etp)
      sums.sent += segment.work.bytes.value();
    sums.memory += segment.work.allocated;
    sums.memory -= segment.work.freed;
  }
  return sums;
}

// Whatever is recomputed, with 17 tokens on each of two tensor ranks: nine and eight.
TEST(ExpertOverlap, SendsComputesAndKeepsTheSame) {
  for (ModelSpec model : {small_moe(), small_latent(), small_shared(), small_chunked()})
    for (const ParallelSizes& sizes :
         {ParallelSizes{.tp = 2, .ep = 4, .dp = 2}, ParallelSizes{.tp = 2, .ep = 2, .etp = 2, .dp = 4}})
      for (const Precision precision : {Precision::Bf16, Precision::Fp8})
        for (std::size_t recomputed = 0; recomputed <= recompute_module_count; ++recomputed) {
          TrainingJob job = job_of(model, sizes);
          job.training.seq_length = 34;
          job.training.precision = precision;
          if (recomputed < recompute_module_count)
            job.training.recompute.modules.add(static_cast<RecomputeModule>(recomputed));
          const MicroBatchShape plain = job.micro_batch();
          job.training.overlap.expert = ExpertOverlap::Chunked;
          const MicroBatchShape shape = job.micro_batch();
          const Segments forward = layer_forward(model, shape, with_experts);
          EXPECT_EQ(sums(forward), sums(layer_forward(model, plain, with_experts))) << model.model_type << recomputed;
          EXPECT_EQ(sums(layer_backward(model, shape, with_experts)), sums(layer_backward(model, plain, with_experts)))
              << model.model_type << recomputed;
          EXPECT_EQ(kept_by(forward) + kept_by(layer_backward(model, shape, with_experts)), Bytes(0));
          EXPECT_GT(forward.size(), layer_forward(model, plain, with_experts).size());
        }
}

// 17 tokens, each to 2 of 8 experts: 18 and 16 copies over 2 experts of this rank, whose weights are read twice.
TEST(ExpertOverlap, ProductsAreHalfAsLong) {
  const ModelSpec model = small_moe();
  TrainingJob job = job_of(model, {.ep = 4, .dp = 4});
  job.training.seq_length = 17;
  std::vector<std::int64_t> rows;
  double bytes = 0;
  for (const Segment& segment : layer_forward(model, overlapped(job.micro_batch()), with_experts))
    for (const Operator& op : segment.work.operators)
      if (op.groups == 2) {
        rows.push_back(op.m);
        bytes += op.bytes.value();
      }
  EXPECT_THAT(rows, ElementsAre(9, 9, 8, 8));
  const double weights = 2.0 * (64 * 96 + 48 * 64) * 2; // gated, in BF16
  EXPECT_EQ(bytes, 2 * weights + 34.0 * (64 + 96 + 48 + 64) * 2);
}

} // namespace
} // namespace moesim::workloads
