// What frameworks make of a layer: which steps are kernels of their own, and what the host launches.
#include <gmock/gmock.h>

#include "tests/workloads/amounts.hpp"
#include "tests/workloads/test_job.hpp"
#include "workloads/segments.hpp"

namespace moesim::workloads {
namespace {

// GPT's layer: biases, an MLP without a gate. 32 tokens, 64 wide, an MLP of 256, 8 heads.
struct Gpt {
  ModelSpec model = small_dense();
  MicroBatchShape shape;

  Gpt() {
    model.gated = false;
    model.num_kv_heads = 8;
    model.intermediate_size = 256;
    model.attention_bias = model.output_bias = model.mlp_bias = true;
    shape = job_of(model, {}).micro_batch();
  }
  [[nodiscard]] Amounts forward() const { return amounts_of(layer_forward(model, shape, {})); }
  [[nodiscard]] Amounts backward() const { return amounts_of(layer_backward(model, shape, {})); }
};

constexpr double tokens = 32;
constexpr double hidden = 64;
constexpr double weights = 12 * hidden * hidden; // of a layer

// Four biases' gradients read the gradients of four outputs (3h, h, 4h, h); two norms read input and gradient once
// more; four weights' gradients are written and read.
TEST(LayerKernels, OfMegatronsModulesGradientsAreKernels) {
  Gpt gpt;
  const Amounts fused = gpt.backward();
  gpt.shape.transformer_impl = TransformerImpl::Local;
  const Amounts local = gpt.backward();
  EXPECT_EQ(local.kernels - fused.kernels, 4 + 2 + 4);
  EXPECT_DOUBLE_EQ(local.bytes - fused.bytes, 2 * (9 + 2 * 2) * tokens * hidden + 2 * 2 * weights);
  gpt.model.attention_bias = gpt.model.output_bias = gpt.model.mlp_bias = false;
  EXPECT_EQ(gpt.backward().kernels, local.kernels - 4);
}

// Queries, keys and values are products of their own, and so are gate and up: each reads the input, and their gradients
// of it, of which all but one more are written, are read and added up.
TEST(LayerKernels, ProjectionsThatAreNotFused) {
  const ModelSpec model = small_dense();
  MicroBatchShape shape = job_of(model, {}).micro_batch();
  const Amounts fused = amounts_of(layer_forward(model, shape, {}));
  const Amounts fused_backward = amounts_of(layer_backward(model, shape, {}));
  shape.fused_projections = false;
  const Amounts apart = amounts_of(layer_forward(model, shape, {}));
  const Amounts apart_backward = amounts_of(layer_backward(model, shape, {}));
  EXPECT_EQ(apart.kernels - fused.kernels, 3);
  EXPECT_DOUBLE_EQ(apart.bytes - fused.bytes, 2 * 3 * tokens * hidden);
  EXPECT_EQ(apart_backward.kernels - fused_backward.kernels, 2 * 3 + 2);
  EXPECT_DOUBLE_EQ(apart_backward.bytes - fused_backward.bytes, 2 * (3 + 3 + 4 + 3) * tokens * hidden);
}

// Four heads' keys and values are read and written for eight; attention reads the copies, and keeps them.
TEST(LayerKernels, KeysAndValuesOfEveryQueryHead) {
  const ModelSpec model = small_dense();
  MicroBatchShape shape = job_of(model, {}).micro_batch();
  const Amounts grouped = amounts_of(layer_forward(model, shape, {}));
  const Bytes kept = layer_activations(model, shape, {});
  shape.repeat_kv = true;
  const Amounts repeated = amounts_of(layer_forward(model, shape, {}));
  const double head = 2 * 8 * tokens * 2; // a key and a value of 8 channels, BF16
  EXPECT_EQ(repeated.kernels - grouped.kernels, 1);
  EXPECT_DOUBLE_EQ(repeated.bytes - grouped.bytes, ((4 + 8) + 4) * head);
  EXPECT_DOUBLE_EQ((layer_activations(model, shape, {}) - kept).value(), 4 * head);
  EXPECT_EQ(kept_by(layer_forward(model, shape, {})) + kept_by(layer_backward(model, shape, {})), Bytes(0));
}

// Parts of two sequences, gathered or scattered over tp, are copied: read and written. Of one sequence they are not.
TEST(LayerKernels, SequencesThatLieTogetherAreCopied) {
  const ModelSpec model = small_dense();
  TrainingJob job = job_of(model, {.tp = 2});
  const auto forward = [&] { return amounts_of(layer_forward(model, job.micro_batch(), {})); };
  job.training.batch_first = true;
  job.training.micro_batch_size = 1;
  const Amounts one = forward();
  job.training.batch_first = false;
  EXPECT_EQ(forward().bytes, one.bytes);
  job.training.micro_batch_size = 2;
  const Amounts sequence_first = forward();
  job.training.batch_first = true;
  const double all = 2 * static_cast<double>(job.training.seq_length) * hidden * 2; // two sequences, BF16
  EXPECT_EQ(forward().kernels - sequence_first.kernels, 4);
  EXPECT_DOUBLE_EQ(forward().bytes - sequence_first.bytes, 4 * 2 * all);
}

// Behind attention and MLP a mask of a byte is written in the forward, with the addition; the backward is a kernel of
// its own that reads it. PyTorch's modules drop, and then add.
TEST(LayerKernels, DropoutOfHiddenStates) {
  Gpt gpt;
  const Amounts forward = gpt.forward();
  const Amounts backward = gpt.backward();
  gpt.shape.hidden_dropout = true;
  EXPECT_EQ(gpt.forward().kernels, forward.kernels);
  EXPECT_DOUBLE_EQ(gpt.forward().bytes - forward.bytes, 2 * tokens * hidden);
  EXPECT_EQ(gpt.backward().kernels, backward.kernels + 2);
  EXPECT_DOUBLE_EQ(gpt.backward().bytes - backward.bytes, 2 * (2 * 2 + 1) * tokens * hidden);
  gpt.shape.transformer_impl = TransformerImpl::Eager;
  EXPECT_EQ(gpt.forward().kernels, forward.kernels + 2);
  EXPECT_DOUBLE_EQ(gpt.forward().bytes - forward.bytes, 2 * (2 * 2 + 1) * tokens * hidden);
}

// PyTorch reads the gradients of queries, keys and values and writes them side by side; where attention is unfused it
// does so itself.
TEST(LayerKernels, PyTorchJoinsTheGradientsOfFusedProjections) {
  for (const AttentionBackend backend : {AttentionBackend::Flash2, AttentionBackend::Unfused}) {
    Gpt gpt;
    gpt.shape.attention_backend = backend;
    gpt.shape.transformer_impl = TransformerImpl::Local;
    const Amounts local = gpt.backward();
    gpt.shape.transformer_impl = TransformerImpl::Eager;
    EXPECT_EQ(gpt.backward().kernels - local.kernels, backend == AttentionBackend::Unfused ? 0 : 1);
    EXPECT_DOUBLE_EQ(gpt.backward().bytes - local.bytes,
                     backend == AttentionBackend::Unfused ? 0 : 2 * 2 * 3 * tokens * hidden);
  }
}

// Fused: reads gate and value, writes their product. Step by step the gate's function travels in between.
TEST(LayerKernels, PyTorchsGateIsTwoKernels) {
  Gpt gpt;
  gpt.model.gated = true;
  const Amounts fused = gpt.forward();
  gpt.shape.transformer_impl = TransformerImpl::Eager;
  EXPECT_EQ(gpt.forward().kernels, fused.kernels + 1);
  EXPECT_DOUBLE_EQ(gpt.forward().bytes - fused.bytes, 2 * tokens * 2 * 256);
}

TEST(LayerKernels, TheLossStepByStepMovesTheLogitsMore) {
  const Gpt gpt;
  MicroBatchShape apart = gpt.shape;
  apart.cross_entropy_loss_fusion = false;
  const double logits = 4 * tokens * static_cast<double>(gpt.model.vocab_size); // in FP32
  EXPECT_DOUBLE_EQ(amounts_of(head_forward(gpt.model, apart)).bytes -
                       amounts_of(head_forward(gpt.model, gpt.shape)).bytes,
                   5 * logits);
  EXPECT_DOUBLE_EQ(amounts_of(head_backward(gpt.model, apart)).bytes -
                       amounts_of(head_backward(gpt.model, gpt.shape)).bytes,
                   2 * logits);
}

// Fused in the logits' own precision the loss reads them once, and reads them and writes their gradient backward.
TEST(LayerKernels, ALossWithoutACopyInFp32MovesTheLogitsLess) {
  const Gpt gpt;
  MicroBatchShape shape = gpt.shape;
  shape.fp32_logits = false;
  const double logits = tokens * static_cast<double>(gpt.model.vocab_size);
  EXPECT_DOUBLE_EQ(amounts_of(head_forward(gpt.model, shape), "loss").bytes, 2 * logits);
  EXPECT_DOUBLE_EQ(amounts_of(head_backward(gpt.model, shape), "loss").bytes, 4 * logits);
  EXPECT_DOUBLE_EQ((head_activations(gpt.model, gpt.shape) - head_activations(gpt.model, shape)).value(), 4 * logits);
}

// Each casts the logits to FP32 (6 bytes each), and writes the logarithms of their softmax (8).
TEST(LayerKernels, MetricsTakeTheLossOnceMore) {
  Gpt gpt;
  gpt.shape.train_metrics = 2;
  const Amounts metrics = amounts_of(head_forward(gpt.model, gpt.shape), "metrics");
  EXPECT_EQ(metrics.kernels, 2 * 2);
  EXPECT_DOUBLE_EQ(metrics.bytes, 2 * 14 * tokens * static_cast<double>(gpt.model.vocab_size));
}

// Output and its gradient are read, the FP32 sum of the queries' gradients is cleared, and read and cast.
TEST(LayerKernels, TheFirstFlashAttentionHasThreeKernelsMoreBackward) {
  Gpt gpt;
  const Amounts forward = gpt.forward();
  const Amounts backward = gpt.backward();
  gpt.shape.attention_backend = AttentionBackend::Flash1;
  EXPECT_EQ(gpt.forward().kernels, forward.kernels);
  EXPECT_EQ(gpt.backward().kernels, backward.kernels + 3);
  EXPECT_DOUBLE_EQ(gpt.backward().bytes - backward.bytes, (2 * 2 + 4 + 4 + 2) * tokens * hidden);
}

// Its input is cast, and backward the gradient of the logits; both products backward are in 8 bits, too.
TEST(LayerKernels, AHeadInEightBitsIsALinearLayer) {
  const ModelSpec model = small_dense();
  MicroBatchShape shape = job_of(model, {}).micro_batch();
  shape.precision = Precision::Mxfp8;
  const auto products = [&](const Segments& segments) {
    std::vector<Precision> precisions;
    for (const Segment& segment : segments)
      for (const Operator& op : segment.work.operators)
        if (op.kind == OperatorKind::Gemm)
          precisions.push_back(op.precision);
    return precisions;
  };
  const std::int64_t forward = amounts_of(head_forward(model, shape)).kernels;
  const std::int64_t backward = amounts_of(head_backward(model, shape)).kernels;
  EXPECT_THAT(products(head_backward(model, shape)), testing::Each(Precision::Bf16));
  shape.fp8_output_proj = true;
  EXPECT_EQ(amounts_of(head_forward(model, shape)).kernels, forward + 1);
  EXPECT_EQ(amounts_of(head_backward(model, shape)).kernels, backward + 1);
  EXPECT_THAT(products(head_forward(model, shape)), testing::ElementsAre(Precision::Mxfp8));
  EXPECT_THAT(products(head_backward(model, shape)), testing::ElementsAre(Precision::Mxfp8, Precision::Mxfp8));
}

TEST(LayerKernels, GraphsCostTheHostNothing) {
  const ModelSpec model = small_moe();
  MicroBatchShape shape = job_of(model, {.ep = 4, .dp = 4}).micro_batch();
  shape.cuda_graphs.add(CudaGraphModule::Attn);
  const Segments some = layer_forward(model, shape, model.kind_of(0));
  EXPECT_EQ(amounts_of(some, "attention").launches, 0);
  EXPECT_GT(amounts_of(some, "router").launches, 0);
  shape.cuda_graphs.add(CudaGraphModule::FullIteration);
  EXPECT_EQ(amounts_of(layer_forward(model, shape, model.kind_of(0))).launches, 0);
  EXPECT_GT(amounts_of(layer_forward(model, shape, model.kind_of(0))).kernels, 0);
}

// Queries and keys, 8 and 2 heads of 8, go through memory 12 times instead of twice, and 13 times backward.
TEST(LayerKernels, ScaledRotationsAreKernelsOfTheirOwn) {
  ModelSpec model = small_dense();
  const MicroBatchShape shape = job_of(model, {}).micro_batch();
  const double once = 2 * tokens * static_cast<double>(model.query_width() + model.kv_width());
  const Amounts forward = amounts_of(layer_forward(model, shape, {}));
  const Amounts backward = amounts_of(layer_backward(model, shape, {}));
  model.scales_rotary = true;
  EXPECT_DOUBLE_EQ(amounts_of(layer_forward(model, shape, {})).bytes - forward.bytes, (12 - 2) * once);
  EXPECT_DOUBLE_EQ(amounts_of(layer_backward(model, shape, {})).bytes - backward.bytes, (13 - 2) * once);
}

} // namespace
} // namespace moesim::workloads
