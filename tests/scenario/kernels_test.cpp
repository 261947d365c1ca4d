// Which kernels a layer is made of, and how they are launched.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "simulator/scenario/scenario.hpp"

namespace moesim::scenario {
namespace {

using ::testing::HasSubstr;
using workloads::CudaGraphModule;

Scenario with(const std::string& training) {
  return parse(fmt::format("version: 1\nplatform: {{base: dgx-h100, nodes: 1}}\nmodel: llama-3.1-8b\n"
                           "training: {{global_batch_size: 64, seq_length: 2048{}}}\n",
                           training),
               "scenario.yaml", {});
}

TEST(Kernels, FieldsAreRead) {
  const Scenario scenario =
      with(", transformer_impl: eager, attention_backend: flash-1, attention_dropout: 0.1, hidden_dropout: 0.2, "
           "batch_first: true, repeat_kv: true, fused_projections: false, recompute_early_stop: true, "
           "moe_router_fusion: false, moe_permute_fusion: false, moe_activation: "
           "in-products, scale_kernels: swizzle, precision: fp8, fp8_output_proj: true, "
           "fp32_logits: false, train_metrics: 2, fp8_scaling: row, tp_gather_in_fp8: true, backward_prefetch: post, "
           "copy_gathered_parameters: true, "
           "fused_optimizer: false, overlap: {tp_backward: false}, launch_time: {forward: 3us, step: 2ms, "
           "waits_for_passes: true}, "
           "cuda_graph_scope: [attn, moe_router]");
  const workloads::Training& training = scenario.training_job().training;
  EXPECT_EQ(training.transformer_impl, workloads::TransformerImpl::Eager);
  EXPECT_EQ(training.attention_backend, workloads::AttentionBackend::Flash1);
  EXPECT_EQ(training.attention_dropout, 0.1);
  EXPECT_EQ(training.hidden_dropout, 0.2);
  EXPECT_TRUE(training.batch_first && training.repeat_kv && training.recompute_early_stop);
  EXPECT_FALSE(training.fused_projections);
  EXPECT_FALSE(training.moe_router_fusion || training.moe_permute_fusion);
  EXPECT_EQ(training.moe_activation, workloads::ExpertActivation::InProducts);
  EXPECT_EQ(training.scale_kernels, workloads::ScaleKernels::Swizzle);
  EXPECT_TRUE(training.fp8_output_proj);
  EXPECT_FALSE(training.fp8_dot_product_attention);
  EXPECT_FALSE(training.fp32_logits || training.overlap.tp_backward || training.fused_optimizer);
  EXPECT_EQ(training.train_metrics, 2);
  EXPECT_EQ(training.fp8_scaling, workloads::Fp8Scaling::Row);
  EXPECT_TRUE(training.tp_gather_in_fp8 && training.copy_gathered_parameters);
  EXPECT_EQ(training.backward_prefetch, workloads::BackwardPrefetch::Post);
  EXPECT_EQ(scenario.launch, (cost::LaunchTimes{Seconds(3e-6), Seconds(), Seconds(2e-3), true}));
  EXPECT_TRUE(training.cuda_graph_scope.contains(CudaGraphModule::Attn));
  EXPECT_FALSE(training.cuda_graph_scope.contains(CudaGraphModule::Mlp));
  // And written down so that they read back.
  const Scenario again = parse(resolved_yaml(scenario), "resolved.yaml", {});
  EXPECT_EQ(again.launch, scenario.launch);
  EXPECT_EQ(again.training_job().training.backward_prefetch, training.backward_prefetch);
  EXPECT_EQ(again.training_job().micro_batch(), scenario.training_job().micro_batch());
}

TEST(Kernels, AttentionInEightBitsIsRead) {
  const Scenario scenario = with(", precision: fp8, fp8_dot_product_attention: true");
  EXPECT_TRUE(scenario.training_job().micro_batch().fp8_dot_product_attention);
  EXPECT_EQ(parse(resolved_yaml(scenario), "resolved.yaml", {}).training_job().micro_batch(),
            scenario.training_job().micro_batch());
}

TEST(Kernels, ALossInStepsIsRead) {
  EXPECT_FALSE(with(", cross_entropy_loss_fusion: false").training_job().micro_batch().cross_entropy_loss_fusion);
}

TEST(Kernels, AGraphOfTheWholeIterationIsAName) {
  const auto scope = [](const char* value) {
    return with(fmt::format(", cuda_graph_scope: {}", value)).training_job().training.cuda_graph_scope;
  };
  EXPECT_TRUE(scope("full_iteration").contains(CudaGraphModule::FullIteration));
  EXPECT_EQ(scope("none"), workloads::CudaGraphScope{});
  EXPECT_EQ(scope("[]"), workloads::CudaGraphScope{});
}

TEST(Kernels, InferenceReplaysGraphs) {
  const Scenario scenario = parse("version: 1\nplatform: {base: dgx-h100, nodes: 1}\nmodel: llama-3.1-8b\n"
                                  "inference: {batch_size: 8, prompt_length: 16, output_length: 1}\n",
                                  "scenario.yaml", {});
  EXPECT_EQ(scenario.launch, cost::LaunchTimes{});
}

TEST(Kernels, SaysWhatIsWrong) {
  const auto error = [](const std::string& training) -> std::string {
    try {
      static_cast<void>(with(training));
    } catch (const InputError& wrong) {
      return wrong.what();
    }
    return "";
  };
  EXPECT_THAT(error(", cuda_graph_scope: all"), HasSubstr("training.cuda_graph_scope"));
  EXPECT_THAT(error(", cuda_graph_scope: [attention]"), HasSubstr("training.cuda_graph_scope"));
  EXPECT_THAT(error(", launch_time: 3us"), HasSubstr("training.launch_time"));
  EXPECT_THAT(error(", launch_time: {forward: 3}"), HasSubstr("training.launch_time.forward"));
  EXPECT_THAT(error(", recompute: {granularity: full, num_layers: 2}, recompute_early_stop: true"),
              HasSubstr("training.recompute_early_stop"));
  EXPECT_THAT(error(", fp8_output_proj: true"),
              HasSubstr("training.fp8_output_proj: precision bf16 has no 8 bits to multiply in; use fp8"));
  EXPECT_THAT(error(", precision: fp8, attention_backend: unfused, fp8_dot_product_attention: true"),
              HasSubstr("training.fp8_dot_product_attention: attention_backend unfused has no kernel of 8 bits"));
  EXPECT_THAT(error(", precision: fp8, attention_dropout: 0.1, fp8_dot_product_attention: true"),
              HasSubstr("training.fp8_dot_product_attention: attention with dropout has no kernel of 8 bits"));
  EXPECT_THAT(error(", fp32_logits: false, cross_entropy_loss_fusion: false"),
              HasSubstr("training.fp32_logits: a loss that is not fused takes its logits in FP32"));
  EXPECT_THAT(error(", exp_avg_dtype: bf16, fused_optimizer: false"),
              HasSubstr("training.fused_optimizer: PyTorch's operations keep weights and moments in FP32"));
  EXPECT_THAT(error(", scale_kernels: all"), HasSubstr("training.scale_kernels"));
  EXPECT_THAT(error(", hidden_dropout: 1"), HasSubstr("training.hidden_dropout"));
}

} // namespace
} // namespace moesim::scenario
