// What frameworks make of a layer: which steps are kernels of their own, and what the host launches.
#include <string>

#include <gmock/gmock.h>

#include "tests/workloads/test_job.hpp"
#include "workloads/segments.hpp"

namespace moesim::workloads {
namespace {

// Kernels, the bytes they move, and how often the host launches one.
struct Amounts {
  std::int64_t kernels = 0;
  std::int64_t launches = 0;
  double bytes = 0;
};

Amounts amounts_of(const Segments& segments, std::string_view name = "") {
  Amounts amounts;
  for (const Segment& segment : segments)
    if (segment.kind == graph::Kind::Compute && (name.empty() || segment.name == name))
      for (const Operator& op : segment.work.operators) {
        ++amounts.kernels;
        amounts.launches += op.launches;
        amounts.bytes += op.bytes.value();
      }
  return amounts;
}

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

TEST(LayerKernels, OlderAttentionIsAskedFor) {
  Gpt gpt;
  for (const auto& [backend, kernel] : {std::pair(AttentionBackend::Flash, AttentionKernel::Latest),
                                        std::pair(AttentionBackend::Flash2, AttentionKernel::Flash2),
                                        std::pair(AttentionBackend::Flash1, AttentionKernel::Flash1)}) {
    gpt.shape.attention_backend = backend;
    for (const Segments& segments : {layer_forward(gpt.model, gpt.shape, {}), layer_backward(gpt.model, gpt.shape, {})})
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
TEST(LayerKernels, AttentionInEightBitsCastsWhatItReads) {
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
TEST(LayerKernels, TheBackwardInEightBitsLeavesNoWindowOut) {
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

TEST(LayerKernels, SinksAreAskedFor) {
  ModelSpec model = small_dense();
  const MicroBatchShape shape = job_of(model, {}).micro_batch();
  EXPECT_FALSE(attention_of(layer_forward(model, shape, {})).at(0).has_sinks);
  model.attention_sinks = true;
  EXPECT_TRUE(attention_of(layer_forward(model, shape, {})).at(0).has_sinks);
  EXPECT_TRUE(attention_of(layer_backward(model, shape, {})).at(0).has_sinks);
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

// Of two experts a rank, two products forward and four backward, each behind a cast of its input, and two casts: a
// launch more for each expert of each product, and of each cast.
TEST(LayerKernels, ScalesThatAreNotFusedAreLaunches) {
  const ModelSpec model = small_moe();
  MicroBatchShape shape = job_of(model, {.ep = 4, .dp = 4}).micro_batch();
  shape.precision = Precision::Mxfp8;
  const auto launches = [&](ScaleKernels kernels) {
    shape.scale_kernels = kernels;
    return std::pair(amounts_of(layer_forward(model, shape, model.kind_of(0)), "experts").launches,
                     amounts_of(layer_backward(model, shape, model.kind_of(0)), "experts").launches);
  };
  const auto [forward, backward] = launches(ScaleKernels::None);
  EXPECT_EQ(launches(ScaleKernels::Swizzle), std::pair(forward + 2 * 2, backward + 4 * 2));
  EXPECT_EQ(launches(ScaleKernels::ZeroAndSwizzle), std::pair(forward + (2 + 2) * 2, backward + (4 + 2) * 2));
  shape.precision = Precision::Fp8; // whose scale is one for a tensor
  const auto one_scale = launches(ScaleKernels::None);
  EXPECT_EQ(launches(ScaleKernels::ZeroAndSwizzle), one_scale);
}

// 8 experts on 4 ranks: both matrices of 2 experts forward, and two products for each of these backward.
TEST(LayerKernels, ExpertsAreLaunchedOneByOne) {
  const ModelSpec model = small_moe();
  const MicroBatchShape shape = job_of(model, {.ep = 4, .dp = 4}).micro_batch();
  const auto extra = [&](const Segments& segments) {
    const Amounts experts = amounts_of(segments, "experts");
    return experts.launches - experts.kernels;
  };
  const std::int64_t each = model.moe->num_experts / 4;
  EXPECT_EQ(extra(layer_forward(model, shape, model.kind_of(0))), 2 * (each - 1));
  EXPECT_EQ(extra(layer_backward(model, shape, model.kind_of(0))), 4 * (each - 1));
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

// Fusion changes how many kernels there are, not what experts and products do.
TEST(LayerKernels, RouterAndPermutationStepByStep) {
  const ModelSpec model = small_moe();
  MicroBatchShape shape = job_of(model, {.ep = 4, .dp = 4}).micro_batch();
  const auto router = [&] { return amounts_of(layer_forward(model, shape, model.kind_of(0)), "router"); };
  const std::int64_t fused = router().kernels;
  shape.moe_router_fusion = false;
  const std::int64_t apart = router().kernels;
  EXPECT_GT(apart, fused);
  shape.moe_permute_fusion = false;
  EXPECT_GT(router().kernels, apart);
  EXPECT_EQ(
      amounts_of(layer_forward(model, shape, model.kind_of(0)), "unpermute").kernels,
      amounts_of(layer_forward(model, job_of(model, {.ep = 4, .dp = 4}).micro_batch(), model.kind_of(0)), "unpermute")
              .kernels +
          1);
}

// Rows of 64 channels in BF16 that are read or written on the way to the experts and back: 32 tokens of each of four
// ranks, to two of eight experts each. All-to-all: 32 become 64 copies, which are sorted, and back again. All-gather:
// of all 128 tokens 64 copies are taken. Unfused, the copies are weighed; all-gathered ones are sorted in a second
// step; and each element that is added moves 32 bytes.
TEST(LayerKernels, CopiesOfTokensAreMadeWhereTheDispatcherMakesThem) {
  const ModelSpec model = small_moe();
  MicroBatchShape shape = job_of(model, {.ep = 4, .dp = 4}).micro_batch();
  const auto bytes = [&](Dispatcher dispatcher, bool fused) {
    shape.dispatcher = dispatcher;
    shape.moe_permute_fusion = fused;
    return amounts_of(layer_forward(model, shape, model.kind_of(0))).bytes +
           amounts_of(layer_backward(model, shape, model.kind_of(0))).bytes;
  };
  const double row = 2 * hidden;
  const double copies = 2 * tokens;
  const double sent = bytes(Dispatcher::AllToAll, true);
  const double gathered = bytes(Dispatcher::AllGather, true);
  EXPECT_DOUBLE_EQ(gathered - sent, 2 * row * (2 * (4 * tokens + copies) - 2 * (tokens + copies) - 2 * 2 * copies));
  EXPECT_DOUBLE_EQ(bytes(Dispatcher::AllToAll, false) - sent, 2 * (row * 2 * copies + 32 * hidden * copies));
  EXPECT_DOUBLE_EQ(bytes(Dispatcher::AllGather, false) - gathered,
                   2 * (row * (2 + 2 + 2) * copies + 2 * 32 * hidden * copies));
  EXPECT_DOUBLE_EQ(bytes(Dispatcher::DeepEp, false) - bytes(Dispatcher::DeepEp, true),
                   2 * (row * 2 * copies + 32 * hidden * copies)); // added up where they arrived
}

// Of DeepSeek-V3's 72 kernels of the router 31 are left.
TEST(LayerKernels, RoutersOfGroupsHaveMoreKernels) {
  const auto saved = [](std::int64_t groups) {
    ModelSpec model = small_moe();
    model.moe->groups = groups;
    MicroBatchShape shape = job_of(model, {.ep = 4, .dp = 4}).micro_batch();
    const auto router = [&] { return amounts_of(layer_forward(model, shape, model.kind_of(0)), "router").kernels; };
    const std::int64_t fused = router();
    shape.moe_router_fusion = false;
    return router() - fused;
  };
  EXPECT_EQ(saved(2), 72 - 31);
  EXPECT_EQ(saved(1), 18 - 1); // the steps over all probabilities
}

// DeepEP takes each token as it is and copies it where it arrives; others want a copy for each of two experts, and give
// back one for each. Of a rank's only expert, too, tokens are brought out of DeepEP's buffer.
TEST(LayerKernels, DeepEpTakesTokensWithoutCopying) {
  const ModelSpec model = small_moe();
  const auto bytes = [&](std::int64_t ep, Dispatcher dispatcher) {
    MicroBatchShape shape = job_of(model, {.ep = ep, .dp = ep}).micro_batch();
    shape.dispatcher = dispatcher;
    return amounts_of(layer_forward(model, shape, model.kind_of(0))).bytes;
  };
  const double once = 2 * tokens * hidden;
  EXPECT_DOUBLE_EQ(bytes(4, Dispatcher::AllToAll) - bytes(4, Dispatcher::DeepEp), 2 * (1 + 2) * once);
  EXPECT_DOUBLE_EQ(bytes(8, Dispatcher::AllToAll) - bytes(8, Dispatcher::DeepEp),
                   2 * (1 + 2) * once - 2 * 2 * 2 * once);
  EXPECT_DOUBLE_EQ(bytes(1, Dispatcher::AllToAll), bytes(1, Dispatcher::DeepEp));
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

// Experts as GPT-OSS has them, four a rank or less: the first product gives 96 columns, the activation 48.
struct ClampingExperts {
  ModelSpec model = small_moe();
  MicroBatchShape shape;
  double up = 0;    // bytes of what the first product gives
  double width = 0; // of the activation
  double wide = 0;  // of hidden states

  ClampingExperts() {
    model.mlp_bias = model.clamps_activation = true;
    shape = job_of(model, {.ep = 4, .dp = 4}).micro_batch();
    const double rows = 32 * 2;
    up = 2 * rows * 96;
    width = 2 * rows * 48;
    wide = 2 * rows * 64;
  }
  [[nodiscard]] Amounts with(ExpertActivation activation, bool is_forward) {
    shape.moe_activation = activation;
    return amounts_of(is_forward ? layer_forward(model, shape, model.kind_of(0))
                                 : layer_backward(model, shape, model.kind_of(0)),
                      "experts");
  }
  [[nodiscard]] double more(ExpertActivation activation, bool is_forward) {
    return with(activation, is_forward).bytes - with(ExpertActivation::Kernel, is_forward).bytes;
  }
};

// Both halves are clamped and then joined: each reads and writes all of it; backward the clamps read what they were
// given, too. A bias times a weight is written, read and added, and joined: 6 passes over the hidden states; backward
// two products and two sums, 6, with the parts of the gradient joined, 2.
TEST(LayerKernels, ClampsAndBiasesStepByStep) {
  ClampingExperts gpt_oss;
  EXPECT_DOUBLE_EQ(gpt_oss.more(ExpertActivation::Steps, true), 4 * gpt_oss.up + 6 * gpt_oss.wide);
  EXPECT_DOUBLE_EQ(gpt_oss.more(ExpertActivation::Steps, false), 5 * gpt_oss.up + 8 * gpt_oss.wide);
  // With weights in FP32 all of that is twice as wide, and is cast to it and back.
  gpt_oss.shape.dispatcher = Dispatcher::DeepEp;
  EXPECT_DOUBLE_EQ(gpt_oss.more(ExpertActivation::Steps, true), 4 * gpt_oss.up + (11 + 3) * gpt_oss.wide);
  EXPECT_DOUBLE_EQ(gpt_oss.more(ExpertActivation::Steps, false), 5 * gpt_oss.up + (12 + 6 + 2) * gpt_oss.wide);
  gpt_oss.model.mlp_bias = gpt_oss.model.clamps_activation = false;
  EXPECT_EQ(gpt_oss.more(ExpertActivation::Steps, true), 0);
}

// What the kernel of the activation reads and writes is not moved, nor what its cast reads; backward the gradient of
// the activation is not written either.
TEST(LayerKernels, ProductsThatActivate) {
  ClampingExperts experts;
  EXPECT_EQ(experts.more(ExpertActivation::InProducts, true), 0); // in BF16 nothing is
  experts.shape.precision = Precision::Mxfp8;
  EXPECT_DOUBLE_EQ(experts.more(ExpertActivation::InProducts, true), -(experts.up + 2 * experts.width));
  EXPECT_DOUBLE_EQ(experts.more(ExpertActivation::InProducts, false), -(2 * experts.up + 2 * experts.width));
  EXPECT_EQ(experts.with(ExpertActivation::Kernel, true).kernels,
            experts.with(ExpertActivation::InProducts, true).kernels + 2); // the activation, and its cast
}

} // namespace
} // namespace moesim::workloads
