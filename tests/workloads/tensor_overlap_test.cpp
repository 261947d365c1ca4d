// Gathers and sums of tensor-parallel regions beside the products around them.
#include "workloads/tensor_overlap.hpp"

#include <string>

#include <gmock/gmock.h>

#include "tests/workloads/test_job.hpp"

namespace moesim::workloads {
namespace {

using graph::Kind;
using testing::ElementsAre;

TrainingJob overlapped(TrainingJob job) {
  job.training.overlap.tp = true;
  return job;
}

// "+": runs beside what follows; kernels with how many products they are.
std::vector<std::string> names(const Segments& segments) {
  std::vector<std::string> result;
  for (const Segment& segment : segments) {
    const auto products = std::ranges::count(segment.work.operators, OperatorKind::Gemm, &Operator::kind);
    result.push_back(segment.name + (segment.kind == Kind::Compute ? " " + std::to_string(products) : "") +
                     (segment.beside_next ? "+" : ""));
  }
  return result;
}

TEST(TensorOverlap, PiecesOfAProductRunWhileTheNextTravels) {
  const TrainingJob job = overlapped(job_of(small_dense(), {.tp = 4}));
  EXPECT_THAT(names(layer_forward(job.model, job.micro_batch(), {})),
              ElementsAre("elementwise 0", "gather-sequence+", "attention 1", "gather-sequence+", "attention 1",
                          "gather-sequence+", "attention 1", "attention 2", "sum-attention+", "attention 1",
                          "sum-attention+", "attention 1", "sum-attention+", "attention 1", "elementwise 0",
                          "gather-sequence+", "mlp 1", "gather-sequence+", "mlp 1", "gather-sequence+", "mlp 1",
                          "mlp 2", "sum-mlp+", "mlp 1", "sum-mlp+", "mlp 1", "sum-mlp+", "mlp 1", "elementwise 0"));
}

// The last piece of the input's gradient is followed by the weights' (2 products); then the input is gathered beside
// one gradient, and the other is summed beside the other.
TEST(TensorOverlap, TheBackwardOfAColumnParallelProductOverlapsInBulk) {
  const TrainingJob job = overlapped(job_of(small_dense(), {.tp = 2}));
  const Segments backward = layer_backward(job.model, job.micro_batch(), {});
  EXPECT_THAT(names(backward),
              ElementsAre("gather-gradient+", "mlp 1", "mlp 2", "gather-sequence+", "mlp 1", "sum-gradient+", "mlp 1",
                          "elementwise 0", "gather-gradient+", "attention 1", "attention 2", "gather-sequence+",
                          "attention 1", "sum-gradient+", "attention 1", "elementwise 0"));
  EXPECT_EQ(backward[0].kind, Kind::RingExchange);
  EXPECT_EQ(backward[3].kind, Kind::AllGather);
  EXPECT_EQ(backward[5].kind, Kind::ReduceScatter);
  // dX [32 tokens, 64] = dY [32, 2 x 48] W; dW [64, 96] = X^T dY
  EXPECT_EQ(backward[4].work.operators[0].m, 32);
  EXPECT_EQ(backward[6].work.operators[0].k, 32);
}

// Of the backward alone nothing is cut, as if nothing overlapped.
TEST(TensorOverlap, OfTheForwardAlone) {
  const TrainingJob plain = job_of(small_dense(), {.tp = 2});
  TrainingJob job = overlapped(plain);
  const Segments forward = layer_forward(job.model, job.micro_batch(), {});
  job.training.overlap.tp_backward = false;
  EXPECT_EQ(names(layer_forward(job.model, job.micro_batch(), {})), names(forward));
  EXPECT_EQ(names(layer_backward(job.model, job.micro_batch(), {})),
            names(layer_backward(plain.model, plain.micro_batch(), {})));
}

// With a scale for each row only sums are.
TEST(TensorOverlap, RowsWithScalesExposeTheirGather) {
  TrainingJob job = overlapped(job_of(small_dense(), {.tp = 2}));
  job.training.precision = Precision::Fp8;
  job.training.fp8_scaling = Fp8Scaling::Row;
  EXPECT_THAT(names(layer_forward(job.model, job.micro_batch(), {})),
              ElementsAre("elementwise 0", "gather-sequence", "attention 2", "sum-attention+", "attention 1",
                          "elementwise 0", "gather-sequence", "mlp 2", "sum-mlp+", "mlp 1", "elementwise 0"));
}

// Several products of what is gathered are cut together; the sum of their gradients waits for their addition.
TEST(TensorOverlap, ProjectionsThatAreNotFusedExposeTheirSum) {
  TrainingJob job = overlapped(job_of(small_dense(), {.tp = 2}));
  job.training.fused_projections = false;
  const Segments forward = layer_forward(job.model, job.micro_batch(), {});
  EXPECT_EQ(names(forward)[1], "gather-sequence+");
  EXPECT_EQ(names(forward)[2], "attention 3");
  const Segments backward = layer_backward(job.model, job.micro_batch(), {});
  EXPECT_THAT(names(backward), testing::Contains("gather-gradient+"));
  EXPECT_THAT(names(backward), testing::Contains("sum-gradient").Times(2));
}

// MLA's two up-projections have inputs of their own, whose gradients are not added up: in bulk, as those of one
// product.
TEST(TensorOverlap, ProductsOfLatentsOverlapInBulk) {
  const TrainingJob job = overlapped(job_of(small_latent(), {.tp = 2}));
  const Segments backward = layer_backward(job.model, job.micro_batch(), job.model.kind_of(0));
  EXPECT_THAT(names(backward), testing::IsSupersetOf({"gather-latents+", "sum-gradient+"}));
  for (const Segment& segment : backward)
    if (segment.name == "gather-latents" || segment.name == "sum-gradient") {
      EXPECT_NE(segment.kind, Kind::RingExchange) << segment.name; // which pieces are sent by
    }
}

// A quarter of 32 tokens by a quarter of 2 x 96 columns; all weights are read by each piece, in BF16.
TEST(TensorOverlap, APieceHasItsShareOfTheRowsAndAllWeights) {
  const TrainingJob job = overlapped(job_of(small_dense(), {.tp = 4}));
  const Segments forward = layer_forward(job.model, job.micro_batch(), {});
  const Segment& exchange = forward[15];
  EXPECT_EQ(exchange.kind, Kind::RingExchange);
  EXPECT_EQ(exchange.work.bytes, Bytes(8 * 64 * 2));
  const Operator& piece = forward[16].work.operators.front();
  EXPECT_EQ(piece.m, 8);
  EXPECT_EQ(piece.n, 48);
  EXPECT_EQ(piece.flops, Flops(2.0 * 8 * 48 * 64));
  EXPECT_EQ(piece.bytes, Bytes(2.0 * (8 * 64 + 64 * 48 + 8 * 48)));
}

// What is received is cast to FP8 piece by piece, too.
TEST(TensorOverlap, CastsAreCutWithTheirProducts) {
  TrainingJob job = overlapped(job_of(small_dense(), {.tp = 4}));
  job.training.precision = Precision::Fp8;
  const Segments forward = layer_forward(job.model, job.micro_batch(), {});
  ASSERT_EQ(forward[16].work.operators.size(), 2U);
  EXPECT_EQ(forward[16].work.operators[0].bytes, Bytes(8 * 64 * (2 + 2 * 1))); // read in BF16, written twice in FP8
  EXPECT_EQ(forward[16].work.operators[1].m, 8);
}

TEST(TensorOverlap, OneRankHasNothingToOverlap) {
  const TrainingJob job = job_of(small_moe(), {});
  EXPECT_EQ(names(layer_forward(job.model, overlapped(job).micro_batch(), {.has_experts = true})),
            names(layer_forward(job.model, job.micro_batch(), {.has_experts = true})));
}

// While it is filled and read, in the messages' or the gather's place, kernels hold the gathered sequence once.
TEST(TensorOverlap, TheGatheredSequenceIsThereOnce) {
  const Segments plain = layer_forward(small_dense(), job_of(small_dense(), {.tp = 4}).micro_batch(), {});
  const Segments forward = layer_forward(small_dense(), overlapped(job_of(small_dense(), {.tp = 4})).micro_batch(), {});
  EXPECT_EQ(plain[1].work.allocated[graph::Memory::Communication], Bytes(32 * 64 * 2));
  EXPECT_EQ(forward[1].work.allocated, graph::MemoryUse());
  for (const std::size_t piece : {2U, 4U, 6U, 7U})
    EXPECT_GE(forward[piece].work.allocated[graph::Memory::Workspace], Bytes(32 * 64 * 2));
  const Segments backward =
      layer_backward(small_dense(), overlapped(job_of(small_dense(), {.tp = 2})).micro_batch(), {});
  EXPECT_EQ(backward[3].work.allocated, graph::MemoryUse());
  EXPECT_EQ(backward[4].work.allocated[graph::Memory::Workspace], backward[6].work.allocated[graph::Memory::Workspace]);
}

struct Sums {
  double flops = 0;
  double sent = 0; // by a rank, over tp
  graph::MemoryUse memory;
};

// Of a collective n - 1 n-ths of its size leave each rank, of an exchange all.
Sums sums(const Segments& segments, double ranks) {
  Sums sums;
  for (const Segment& segment : segments) {
    sums.flops += segment.work.flops.value();
    sums.memory += segment.work.allocated;
    sums.memory -= segment.work.freed;
    if (segment.kind != Kind::Compute && segment.over == graph::Dimension::Tp)
      sums.sent += segment.work.bytes.value() * (segment.kind == Kind::RingExchange ? 1 : (ranks - 1) / ranks);
  }
  return sums;
}

void expect_same(const Segments& overlapped, const Segments& plain, double ranks) {
  const Sums a = sums(overlapped, ranks);
  const Sums b = sums(plain, ranks);
  EXPECT_DOUBLE_EQ(a.flops, b.flops);
  EXPECT_DOUBLE_EQ(a.sent, b.sent);
  EXPECT_EQ(a.memory, b.memory);
}

TEST(TensorOverlap, SendsComputesAndKeepsTheSame) {
  for (const ModelSpec& model : small_models())
    for (const ParallelSizes& sizes : {ParallelSizes{.tp = 2}, ParallelSizes{.tp = 4, .cp = 2}})
      for (const Precision precision : {Precision::Bf16, Precision::Fp8})
        for (std::size_t recomputed = 0; recomputed <= recompute_module_count; ++recomputed) {
          TrainingJob job = job_of(model, sizes);
          job.training.precision = precision;
          if (recomputed < recompute_module_count)
            job.training.recompute.modules.add(static_cast<RecomputeModule>(recomputed));
          const MicroBatchShape plain = job.micro_batch();
          const MicroBatchShape shape = overlapped(job).micro_batch();
          for (std::int64_t layer = 0; layer < model.num_layers; ++layer) {
            const LayerKind kind = model.kind_of(layer);
            SCOPED_TRACE(model.model_type + " recomputes " + std::to_string(recomputed));
            const auto ranks = static_cast<double>(sizes.tp);
            expect_same(layer_forward(model, shape, kind), layer_forward(model, plain, kind), ranks);
            expect_same(layer_backward(model, shape, kind), layer_backward(model, plain, kind), ranks);
            for (const Segment& segment : layer_backward(model, shape, kind))
              EXPECT_TRUE(segment.beside_next || segment.kind == Kind::Compute || segment.over != graph::Dimension::Tp)
                  << segment.name;
          }
        }
}

} // namespace
} // namespace moesim::workloads
