// Fields that are right by themselves and do not fit together, or ask for more than one run takes.
#include <gtest/gtest.h>

#include "tests/cli/command.hpp"

namespace moesim::testing {
namespace {

TEST(BadFit, HeadsByTensorRanks) {
  EXPECT_EQ(problems(small_scenario({{"nodes: 2", "nodes: 4"}, {"tp: 2", "tp: 8"}})),
            "scenario.yaml:14:16: parallel.tp: 8 does not divide the 4 attention heads; use 4\n");
  EXPECT_EQ(problems(small_scenario(
                {{"num_attention_heads: 4", "num_attention_heads: 12\n  head_dim: 64\n  num_key_value_heads: 3"}})),
            "scenario.yaml:16:16: parallel.tp: 3 key-value heads cannot be spread over 2 ranks; one must divide the "
            "other\n");
}

TEST(BadFit, LayersByStages) {
  EXPECT_EQ(problems(small_scenario({{"num_hidden_layers: 2", "num_hidden_layers: 3"}})),
            "scenario.yaml:14:23: parallel.pp: 2 does not divide the 3 layers; use 1 or 3, or list layers_per_stage\n");
}

TEST(BadFit, ExpertsByExpertRanks) {
  EXPECT_EQ(problems(small_scenario({{"num_local_experts: 4", "num_local_experts: 6"}, {"ep: 2", "ep: 4"}})),
            "scenario.yaml:14:30: parallel.ep: 4 does not divide the 6 experts; use 3 or 6\n");
  EXPECT_EQ(problems(small_scenario({{"num_local_experts: 4", "num_local_experts: 8"}, {"ep: 2", "ep: 8"}})),
            "scenario.yaml:14:30: parallel.ep: ep x etp = 8 does not divide the 4 ranks of a stage (tp x cp x dp); "
            "with etp 1 the nearest ep that divides is 4\n");
}

TEST(BadFit, BatchByReplicas) {
  EXPECT_EQ(problems(small_scenario({{"global_batch_size: 4", "global_batch_size: 7"}})),
            "scenario.yaml:16:22: training.global_batch_size: 7 is not a multiple of micro_batch_size x dp = 1 x 2 = "
            "2; use 6 or 8\n");
}

TEST(BadFit, TokensBySequenceParallelRanks) {
  EXPECT_EQ(problems(small_scenario({{"seq_length: 128", "seq_length: 127"}})),
            "scenario.yaml:14:16: parallel.tp: tp x cp = 2 does not divide the 127 tokens of a micro-batch, which "
            "sequence parallelism splits; use a product of 1 or 127\n");
}

TEST(BadFit, RanksInTheCluster) {
  EXPECT_EQ(problems(small_scenario({{"tp: 2", "tp: 2, dp: 4"}})),
            "scenario.yaml:14:11: parallel: tp x cp x dp x pp = 2 x 1 x 4 x 2 = 16 ranks, but the cluster has 8 GPUs; "
            "lower a degree or raise platform.nodes to 4\n");
}

TEST(BadFit, OrderOfRanks) {
  EXPECT_EQ(problems(small_scenario({{"tp: 2", "tp: 2, order: tp-pp"}})),
            "scenario.yaml:14:26: parallel.order: 'tp-pp' is not an order of tp, cp, ep, dp and pp; the default is "
            "tp-cp-ep-dp-pp\n");
}

TEST(BadFit, StagesOfALayout) {
  const auto problems_of = [](std::string_view layout) {
    return problems(small_scenario({{"pp: 2", "pp: 2, layout: " + std::string(layout)}}));
  };
  EXPECT_EQ(problems_of("Et|ttL"),
            "scenario.yaml:14:34: parallel.layout: the stages hold 3 layers, but the model has 2; "
            "both must agree\n");
  EXPECT_EQ(problems_of("Et|tmL"), "scenario.yaml:14:34: parallel.layout: has 1 m, but mtp_num_layers is 0; both must "
                                   "agree\n");
  EXPECT_EQ(problems_of("E|t|L"), "scenario.yaml:14:34: parallel.layout: has 3 stages, but pp is 2; write as many\n");
  EXPECT_EQ(problems_of("E|t|t|L, vpp: 3"),
            "scenario.yaml:14:34: parallel.layout: has 4 stages, but pp x vpp is 6; write as many\n");
  EXPECT_EQ(
      problems(small_scenario({{"pp: 2", "pp: 4, layers_per_stage: [1, 0, 1, 0], dp: 1"}})),
      "scenario.yaml:14:44: parallel.layers_per_stage: stage 1 holds nothing; only the first and the last may have "
      "0 layers\n");
}

TEST(BadFit, ShardsToGather) {
  EXPECT_EQ(problems(small_scenario() + "  sharding: none\n  overlap: {param_gather: true}\n"),
            "scenario.yaml:19:12: training.overlap: param_gather needs sharded parameters; use sharding: zero-1 or "
            "param_gather: false\n");
}

TEST(BadFit, SomethingToOverlap) {
  const std::string dense =
      small_scenario({{"  num_local_experts: 4\n  num_experts_per_tok: 2\n", ""}, {", ep: 2", ""}});
  EXPECT_EQ(
      problems(dense + "  overlap: {expert: chunked}\n"),
      "scenario.yaml:16:12: training.overlap: expert is about the all-to-alls of experts, and the model has none; "
      "use expert: false\n");
  EXPECT_EQ(problems(small_scenario({{"  num_local_experts: 4\n  num_experts_per_tok: 2\n", ""},
                                     {"tp: 2, pp: 2, ep: 2", "tp: 2, pp: 2, sequence_parallel: false"}}) +
                     "  overlap: {tp: true}\n"),
            "scenario.yaml:16:12: training.overlap: tp is about the gathers and sums of sequence parallelism (as in "
            "Megatron Core); use parallel.sequence_parallel: true or tp: false\n");
}

TEST(BadFit, AllProblemsAtOnce) {
  EXPECT_EQ(problems(small_scenario({{"pp: 2", "pp: 3, dp: 8"}, {"global_batch_size: 4", "global_batch_size: 7"}})),
            lines({"scenario.yaml:14:11: parallel: tp x cp x dp x pp = 2 x 1 x 8 x 3 = 48 ranks, but the cluster has 8 "
                   "GPUs; lower a degree or raise platform.nodes to 12",
                   "scenario.yaml:14:23: parallel.pp: 3 does not divide the 2 layers; use 2, or list layers_per_stage",
                   "scenario.yaml:16:22: training.global_batch_size: 7 is not a multiple of micro_batch_size x dp = 1 "
                   "x 8 = 8; use 8"}));
}

TEST(BadFit, MoreThanOneRunTakes) {
  EXPECT_EQ(problems(small_scenario({{"global_batch_size: 4", "global_batch_size: 100000000"}})),
            "scenario.yaml:16:22: training.global_batch_size: 50000000 micro-batches on 2 simulated GPUs make at least "
            "3e+09 tasks, and one run takes at most 2e+08; use a smaller batch, or fewer GPUs\n");
  EXPECT_EQ(problems(small_scenario({{"nodes: 2", "nodes: 2000000"}})),
            "scenario.yaml:4:35: platform.nodes: 2000000 nodes of 4 GPUs are 8000000 GPUs; expected at most 4000000\n");
  EXPECT_EQ(problems(small_scenario({{"nodes: 2", "nodes: 262148"}, {"batch_size: 4", "batch_size: 262148"}})),
            "scenario.yaml:14:11: parallel: 1048592 ranks are more than one run takes; expected at most 1048576\n");
  EXPECT_EQ(problems(small_scenario({{"num_hidden_layers: 2", "num_hidden_layers: 10000"},
                                     {"num_local_experts: 4", "num_local_experts: 100000"}})),
            "scenario.yaml:12:22: model.num_local_experts: 100000 experts in each of 10000 layers; expected at most "
            "10000000 in all\n");
}

TEST(BadFit, AmountsBeyondAnyMachine) {
  EXPECT_EQ(problems(small_scenario({{"hidden_size: 256", "hidden_size: 10000000"},
                                     {"vocab_size: 1000", "vocab_size: 100000000"},
                                     {"seq_length: 128", "seq_length: 100000000"}})),
            lines({"scenario.yaml:14:11: parallel: the gradients of a rank are 2.487 PiB, and one run takes at most "
                   "36.38 TiB; use a smaller model, or more of tp, pp and ep",
                   "scenario.yaml:17:15: training.seq_length: 1 x 100000000 tokens of a micro-batch are 3.553 PiB at "
                   "each layer, and one run takes at most 36.38 TiB; use a shorter sequence or a smaller "
                   "micro_batch_size"}));
}

} // namespace
} // namespace moesim::testing
