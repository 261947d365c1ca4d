// What the scales of FP8 cost: passes over what is cast, and the precision in which tensor-parallel ranks gather it.
#include <algorithm>

#include <gtest/gtest.h>

#include "tests/workloads/amounts.hpp"
#include "tests/workloads/test_job.hpp"
#include "workloads/segments.hpp"

namespace moesim::workloads {
namespace {

constexpr double tokens = 32;
constexpr double hidden = 64;

// A layer's products read 64, 64, 64 and 96 columns, and write 128, 64, 2 x 96 and 64. With delayed scales each element
// is read once and written by rows and by columns.
TEST(Fp8Scaling, ScalesOfFp8WantPassesOfTheirOwn) {
  const ModelSpec model = small_dense();
  MicroBatchShape shape = job_of(model, {}).micro_batch();
  shape.precision = Precision::Fp8;
  const double inputs = tokens * (64 + 64 + 64 + 96);
  const double outputs = tokens * (128 + 64 + 192 + 64);
  const Amounts forward = amounts_of(layer_forward(model, shape, {}));
  const Amounts backward = amounts_of(layer_backward(model, shape, {}));

  shape.fp8_scaling = Fp8Scaling::Current; // reads for the largest first
  EXPECT_DOUBLE_EQ(amounts_of(layer_forward(model, shape, {})).bytes - forward.bytes, 2 * inputs);
  EXPECT_DOUBLE_EQ(amounts_of(layer_backward(model, shape, {})).bytes - backward.bytes, 2 * outputs);

  shape.fp8_scaling = Fp8Scaling::Row; // columns are looked at and cast by themselves, at less than a third of the rate
  EXPECT_DOUBLE_EQ(amounts_of(layer_forward(model, shape, {})).bytes - forward.bytes, -inputs);
  const Amounts by_row = amounts_of(layer_backward(model, shape, {}));
  EXPECT_DOUBLE_EQ(by_row.bytes - backward.bytes, -outputs + (2 + 3 * 2.1 / 0.65) * (inputs + outputs));
  EXPECT_EQ(by_row.kernels - backward.kernels, 2 * 2 * 4);
  shape.fused_projections = false; // what reads one input casts it once
  MicroBatchShape delayed = shape;
  delayed.fp8_scaling = Fp8Scaling::Delayed;
  EXPECT_DOUBLE_EQ(amounts_of(layer_backward(model, shape, {})).bytes -
                       amounts_of(layer_backward(model, delayed, {})).bytes,
                   by_row.bytes - backward.bytes);
}

// Two gathers forward and four backward, of 32 tokens of 64; rows with scales of their own are gathered in BF16.
TEST(Fp8Scaling, WhatIsCastFirstIsGatheredInFp8) {
  const TrainingJob job = job_of(small_dense(), {.tp = 2});
  MicroBatchShape shape = job.micro_batch();
  shape.precision = Precision::Fp8;
  const auto gathered = [&] {
    double bytes = 0;
    for (const Segments& segments :
         {layer_forward(job.model, shape, {}), layer_backward(job.model, shape, {}), head_forward(job.model, shape)})
      for (const Segment& segment : segments)
        bytes += segment.kind == graph::Kind::AllGather ? segment.work.bytes.value() : 0;
    return bytes;
  };
  EXPECT_DOUBLE_EQ(gathered(), 7 * 2 * tokens * hidden);
  shape.gathers_fp8 = true;
  EXPECT_DOUBLE_EQ(gathered(), (6 * 1 + 2) * tokens * hidden); // the head's product is in BF16
  shape.fp8_scaling = Fp8Scaling::Row;
  EXPECT_DOUBLE_EQ(gathered(), 7 * 2 * tokens * hidden);
}

// A launch for each product's scales, also where queries, keys and values, or gate and up, are products of their own.
TEST(Fp8Scaling, ScalesOfEveryProductAreSwizzled) {
  const ModelSpec model = small_dense();
  MicroBatchShape shape = job_of(model, {}).micro_batch();
  shape.precision = Precision::Mxfp8;
  for (const bool fused : {true, false}) {
    shape.fused_projections = fused;
    shape.scale_kernels = ScaleKernels::None;
    const Segments segments = layer_forward(model, shape, {});
    std::int64_t products = 0;
    for (const Segment& segment : segments)
      products += std::ranges::count(segment.work.operators, OperatorKind::Gemm, &Operator::kind);
    EXPECT_EQ(products, fused ? 4 : 7);
    shape.scale_kernels = ScaleKernels::Swizzle;
    EXPECT_EQ(amounts_of(layer_forward(model, shape, {})).launches, amounts_of(segments).launches + products);
  }
}

// What is gathered with scales of rows is waited for, and so is put into order.
TEST(Fp8Scaling, GathersThatDoNotOverlapAreReordered) {
  TrainingJob job = job_of(small_dense(), {.tp = 2});
  job.training.micro_batch_size = 2;
  job.training.precision = Precision::Fp8;
  MicroBatchShape shape = job.micro_batch();
  shape.sequence_parallel = shape.overlaps_tp = true;
  const auto copies = [&](Fp8Scaling scaling) {
    shape.fp8_scaling = scaling;
    shape.batch_first = false;
    const std::int64_t kernels = amounts_of(layer_forward(job.model, shape, {})).kernels;
    shape.batch_first = true;
    return amounts_of(layer_forward(job.model, shape, {})).kernels - kernels;
  };
  EXPECT_EQ(copies(Fp8Scaling::Current), 0);
  EXPECT_EQ(copies(Fp8Scaling::Row), 2); // before attention and before the MLP
}

} // namespace
} // namespace moesim::workloads
