// Which kernels of attention frameworks ask for, and what is cast for them.
#include <gmock/gmock.h>

#include "tests/workloads/amounts.hpp"
#include "tests/workloads/test_job.hpp"
#include "workloads/segments.hpp"

namespace moesim::workloads {
namespace {

constexpr double tokens = 32; // of small_dense()

TEST(AttentionKernels, OlderAttentionIsAskedFor) {
  const ModelSpec model = small_dense();
  MicroBatchShape shape = job_of(model, {}).micro_batch();
  for (const auto& [backend, kernel] : {std::pair(AttentionBackend::Flash, AttentionKernel::Latest),
                                        std::pair(AttentionBackend::Flash2, AttentionKernel::Flash2),
                                        std::pair(AttentionBackend::Flash1, AttentionKernel::Flash1)}) {
    shape.attention_backend = backend;
    for (const Segments& segments : {layer_forward(model, shape, {}), layer_backward(model, shape, {})})
      for (const Segment& segment : segments)
        for (const Operator& op : segment.work.operators)
          if (op.kind == OperatorKind::Attention) {
            EXPECT_EQ(op.attention, kernel);
          }
  }
}

std::vector<Operator> attention_of(const Segments& segments) {
  std::vector<Operator> found;
  for (const Segment& segment : segments)
    for (const Operator& op : segment.work.operators)
      if (op.kind == OperatorKind::Attention)
        found.push_back(op);
  return found;
}

// Queries, keys and values of 8, 4 and 4 heads of 8, and backward the gradient of the output: 16 bits are read and 8,
// with a scale for 32 of them, written twice.
TEST(AttentionKernels, AttentionInEightBitsCastsWhatItReads) {
  const ModelSpec model = small_dense();
  MicroBatchShape shape = job_of(model, {}).micro_batch();
  shape.precision = Precision::Mxfp8;
  const auto kernels = [&](bool is_forward) {
    return amounts_of(is_forward ? layer_forward(model, shape, {}) : layer_backward(model, shape, {}));
  };
  const auto attention = [&](bool is_forward) {
    return attention_of(is_forward ? layer_forward(model, shape, {}) : layer_backward(model, shape, {})).at(0);
  };
  for (const bool is_forward : {true, false}) {
    shape.fp8_dot_product_attention = false;
    const Amounts in_16_bits = kernels(is_forward);
    const Operator before = attention(is_forward);
    shape.fp8_dot_product_attention = true;
    const double cast = tokens * (is_forward ? 128 : 64) * (2 + 2 * (1 + 1.0 / 32));
    EXPECT_EQ(kernels(is_forward).kernels, in_16_bits.kernels + 1);
    EXPECT_DOUBLE_EQ(kernels(is_forward).bytes - in_16_bits.bytes,
                     cast + attention(is_forward).bytes.value() - before.bytes.value());
    EXPECT_EQ(attention(is_forward).precision, Precision::Mxfp8);
    EXPECT_EQ(attention(is_forward).flops, before.flops);
  }
}

// cuDNN's: forward a window saves what it does in 16 bits, backward nothing.
TEST(AttentionKernels, TheBackwardInEightBitsLeavesNoWindowOut) {
  ModelSpec model = small_dense();
  model.attention_span = 4;
  MicroBatchShape shape = job_of(model, {}).micro_batch();
  shape.precision = Precision::Mxfp8;
  const LayerKind windowed{.reach = Reach::Sliding};
  const Flops forward = attention_of(layer_forward(model, shape, windowed)).at(0).flops;
  const Flops whole = attention_of(layer_backward(model, shape, {})).at(0).flops;
  EXPECT_LT(attention_of(layer_backward(model, shape, windowed)).at(0).flops, whole);
  shape.fp8_dot_product_attention = true;
  EXPECT_EQ(attention_of(layer_forward(model, shape, windowed)).at(0).flops, forward);
  EXPECT_DOUBLE_EQ(attention_of(layer_backward(model, shape, windowed)).at(0).flops.value(), whole.value());
  EXPECT_EQ(attention_of(layer_backward(model, shape, windowed)).at(0).n,
            attention_of(layer_backward(model, shape, {})).at(0).n);
}

TEST(AttentionKernels, SinksAreAskedFor) {
  ModelSpec model = small_dense();
  const MicroBatchShape shape = job_of(model, {}).micro_batch();
  EXPECT_FALSE(attention_of(layer_forward(model, shape, {})).at(0).has_sinks);
  model.attention_sinks = true;
  EXPECT_TRUE(attention_of(layer_forward(model, shape, {})).at(0).has_sinks);
  EXPECT_TRUE(attention_of(layer_backward(model, shape, {})).at(0).has_sinks);
}

} // namespace
} // namespace moesim::workloads
