// Fields with a value that is wrong by itself.
#include <gtest/gtest.h>

#include "tests/cli/command.hpp"

namespace moesim::testing {
namespace {

// With `tp: 2` of small.yaml replaced.
std::string problems_of_tp(std::string_view replacement) {
  return problems(small_scenario({{"tp: 2", replacement}}));
}

std::string problems_of_training(std::string_view more) {
  return problems(small_scenario() + std::string("  ").append(more) + "\n");
}

std::string problems_of_node(std::string_view more) {
  return problems(small_scenario({{"gpus: 4", "gpus: 4, " + std::string(more)}}));
}

TEST(BadField, UnknownKey) {
  EXPECT_EQ(problems(small_scenario({{"  seq_length", "  seq_lenght"}})),
            lines({"scenario.yaml:16:3: training.seq_length: missing; expected a whole number from 1 to 100000000",
                   "scenario.yaml:17:3: training.seq_lenght: unknown key 'seq_lenght'; did you mean 'seq_length'?"}));
  EXPECT_EQ(problems_of_tp("banana: 2"), "scenario.yaml:14:12: parallel.banana: unknown key 'banana'; known keys are "
                                         "tp, cp, pp, vpp, ep, etp, layers_per_stage, layout, cp_comm_type, "
                                         "dp, sequence_parallel, order\n");
  EXPECT_EQ(problems(small_scenario({{"  vocab_size", "  vocab_sise: 3\n  vocab_size"}})),
            "scenario.yaml:11:3: model.vocab_sise: unknown key 'vocab_sise'; did you mean 'vocab_size'?\n");
}

TEST(BadField, GivenUnderTwoNames) {
  EXPECT_EQ(problems_of_tp("tp: 2, tensor_model_parallel_size: 2"),
            "scenario.yaml:14:47: parallel.tensor_model_parallel_size: given twice, also as 'tp' at line 14; keep one "
            "of the two\n");
}

TEST(BadField, WrongType) {
  EXPECT_EQ(problems_of_tp("tp: two"), "scenario.yaml:14:16: parallel.tp: found the text \"two\"; expected a whole "
                                       "number from 1 to 1000000\n");
  EXPECT_EQ(problems_of_tp("tp: \"2\""), "scenario.yaml:14:16: parallel.tp: found the text \"2\"; expected a whole "
                                         "number from 1 to 1000000, without quotes\n");
  EXPECT_EQ(problems_of_tp("tp: 2.5"),
            "scenario.yaml:14:16: parallel.tp: found the number 2.5; expected a whole number from 1 to 1000000\n");
  EXPECT_EQ(problems_of_tp("tp: [2]"),
            "scenario.yaml:14:16: parallel.tp: found a list; expected a whole number from 1 to 1000000\n");
  EXPECT_EQ(problems_of_tp("tp: {a: 2}"),
            "scenario.yaml:14:16: parallel.tp: found a map; expected a whole number from 1 to 1000000\n");
  EXPECT_EQ(problems(small_scenario({{"parallel: {tp: 2, pp: 2, ep: 2}", "parallel: 3"}})),
            "scenario.yaml:14:11: parallel: found the number 3; expected a map of fields\n");
  EXPECT_EQ(problems_of_training("overlap: {grad_reduce: 1}"),
            "scenario.yaml:18:26: training.overlap.grad_reduce: found the number 1; expected true or false\n");
}

TEST(BadField, NoValue) {
  EXPECT_EQ(problems_of_tp("tp:"),
            "scenario.yaml:14:15: parallel.tp: no value given; expected a whole number from 1 to 1000000\n");
  EXPECT_EQ(problems(small_scenario({{"parallel: {tp: 2, pp: 2, ep: 2}", "parallel:"}})),
            "scenario.yaml:14:1: parallel: no value given; expected a map of fields\n");
  EXPECT_EQ(problems(small_scenario({{"name: small", "name:"}})),
            "scenario.yaml:3:1: name: no value given; expected a text\n");
  EXPECT_EQ(problems(small_scenario({{"name: small", "name: ~"}})),
            "scenario.yaml:3:7: name: no value given; expected a text\n");
}

TEST(BadField, NetworkOfAStream) {
  EXPECT_EQ(
      problems(small_scenario() + "simulation: {network: {default: fluid, ep: packet}, algorithms: {tp: pairwise}}\n"),
      "scenario.yaml:18:44: simulation.network.ep: unknown value 'packet'; expected one of analytic, fluid, flow\n"
      "scenario.yaml:18:70: simulation.algorithms.tp: unknown value 'pairwise'; expected one of auto, ring, tree, "
      "nvls, sharp, custom, hierarchical\n");
  EXPECT_EQ(problems(small_scenario() + "simulation: {network: {edp: flow}}\n"),
            "scenario.yaml:18:24: simulation.network.edp: unknown key 'edp'; did you mean 'ep'?\n");
}

TEST(BadField, NumbersOutOfRange) {
  EXPECT_EQ(problems_of_tp("tp: -2"),
            "scenario.yaml:14:16: parallel.tp: -2 is too small; expected a whole number from 1 to 1000000\n");
  EXPECT_EQ(problems_of_tp("tp: 0"),
            "scenario.yaml:14:16: parallel.tp: 0 is too small; expected a whole number from 1 to 1000000\n");
  EXPECT_EQ(problems_of_tp("tp: 1000000000000"),
            "scenario.yaml:14:16: parallel.tp: 1000000000000 is too large; expected a whole number from 1 to "
            "1000000\n");
  EXPECT_EQ(problems_of_tp("tp: 99999999999999999999999"),
            "scenario.yaml:14:16: parallel.tp: 99999999999999999999999 is too large; expected a whole number from 1 "
            "to 1000000\n");
  EXPECT_EQ(problems_of_tp("tp: 1e300"),
            "scenario.yaml:14:16: parallel.tp: found the number 1e300; expected a whole number from 1 to 1000000\n");
  EXPECT_EQ(problems_of_tp("tp: .nan"), "scenario.yaml:14:16: parallel.tp: found the text \".nan\"; expected a whole "
                                        "number from 1 to 1000000\n");
  EXPECT_EQ(problems(small_scenario({{"version: 1", "version: 2"}})),
            "scenario.yaml:2:10: version: 2 is too large; expected 1\n");
}

TEST(BadField, UnknownChoices) {
  EXPECT_EQ(problems_of_training("sharding: zero-4"),
            "scenario.yaml:18:13: training.sharding: unknown value 'zero-4'; did you mean 'zero-1'? expected one of "
            "zero-1, none, zero-2, zero-3, fsdp\n");
}

TEST(BadField, Units) {
  EXPECT_EQ(problems_of_node("nic: {latency: 2}"),
            "scenario.yaml:4:69: platform.node.nic.latency: 2 has no unit; write for example 2us\n");
  EXPECT_EQ(problems_of_node("nic: {latency: 2GB}"), "scenario.yaml:4:69: platform.node.nic.latency: unknown unit "
                                                     "'GB'; expected a time such as 2us or 1.5ms\n");
  EXPECT_EQ(problems_of_node("nic: {bandwidth_per_direction: 400GB}"),
            "scenario.yaml:4:85: platform.node.nic.bandwidth_per_direction: unknown unit 'GB'; expected a bandwidth "
            "such as 450GB/s or 400Gbps\n");
  EXPECT_EQ(problems_of_node("nic: {latency: -1us}"),
            "scenario.yaml:4:69: platform.node.nic.latency: -1us is too small; expected a time such as 2us or 1.5ms, "
            "from 0s to 1e6s\n");
  EXPECT_EQ(problems_of_node("nic: {latency: 1e300s}"),
            "scenario.yaml:4:69: platform.node.nic.latency: 1e300s is too large; expected a time such as 2us or 1.5ms, "
            "from 0s to 1e6s\n");
  EXPECT_EQ(problems_of_node("nic: {efficiency: nan}"), "scenario.yaml:4:72: platform.node.nic.efficiency: found the "
                                                        "text \"nan\"; expected a number from 0.001 to 1\n");
}

TEST(BadField, Overrides) {
  EXPECT_EQ(problems(small_scenario({{"nodes: 2", "nodes: 2, overrides: [{gpu: 8, speed: 0.5}, {link: node9.nic0, "
                                                  "bandwidth_factor: 0.5}, {gpu: 1}, {}, 3]"}})),
            lines({"scenario.yaml:4:56: platform.overrides.0.gpu: 8 is too large; expected a whole number from 0 to 7",
                   "scenario.yaml:4:79: platform.overrides.1.link: no link is called 'node9.nic0'; links are called as "
                   "`moesim dump platform` prints them, for example node0.nic0 or node0.nvlink0.up",
                   "scenario.yaml:4:115: platform.overrides.2.speed: missing; expected a number from 1e-06 to 1000",
                   "scenario.yaml:4:125: platform.overrides.3: names neither a GPU nor a link; expected either gpu and "
                   "speed, or link and bandwidth_factor",
                   "scenario.yaml:4:129: platform.overrides.4: found the number 3; expected a map of fields"}));
}

TEST(BadField, Fabric) {
  const auto problems_of_fabric = [](std::string_view fabric) {
    return problems(small_scenario({{"nodes: 2", "nodes: 2, fabric: " + std::string(fabric)}}));
  };
  EXPECT_EQ(
      problems_of_fabric("{type: fat-tree, oversubscription: 0.5}"),
      lines({"scenario.yaml:4:46: platform.fabric.nodes_per_leaf: missing; expected a whole number from 1 to 4000000",
             "scenario.yaml:4:81: platform.fabric.oversubscription: 0.5 is too small; expected a number from 1 to "
             "1000"}));
  EXPECT_EQ(problems_of_fabric("{type: fat-tree, nodes_per_leaf: 0}"),
            "scenario.yaml:4:79: platform.fabric.nodes_per_leaf: 0 is too small; expected a whole number from 1 to "
            "4000000\n");
  EXPECT_EQ(problems_of_fabric("{type: non-blocking, nodes_per_leaf: 4, oversubscription: 2}"),
            lines({"scenario.yaml:4:83: platform.fabric.nodes_per_leaf: a non-blocking fabric has no leaves; remove "
                   "it, or say type: fat-tree",
                   "scenario.yaml:4:104: platform.fabric.oversubscription: a non-blocking fabric has no leaves; remove "
                   "it, or say type: fat-tree"}));
  EXPECT_EQ(problems_of_fabric("{nodes_per_leaf: 4}"),
            "scenario.yaml:4:63: platform.fabric.nodes_per_leaf: a non-blocking fabric has no leaves; remove it, or "
            "say type: fat-tree\n");
  EXPECT_EQ(problems_of_fabric("{type: fattree, nodes_per_leaf: 4}"),
            "scenario.yaml:4:53: platform.fabric.type: unknown value 'fattree'; did you mean 'fat-tree'? expected one "
            "of fat-tree, non-blocking, rail-optimized, rail-only\n");
}

// Node 1 has GPUs that no rank runs on, and that the ranks on it would reach other rails over.
TEST(BadField, RailsThatNothingJoins) {
  const auto with = [](std::string_view parallel) {
    return small_scenario({{"nodes: 2", "nodes: 2, fabric: {type: rail-only}"},
                           {"{tp: 2, pp: 2, ep: 2}", parallel},
                           {"global_batch_size: 4", "global_batch_size: 12"}});
  };
  EXPECT_EQ(
      problems(with("{tp: 1, pp: 2, ep: 1, dp: 3}")),
      "scenario.yaml:14:11: parallel: 6 ranks leave 2 GPUs of node 1 idle, over which the others of the node would "
      "reach other rails; on a rail-only fabric, expected a multiple of 4, such as 4 or 8\n");
  EXPECT_EQ(Workplace().check(with("{tp: 1, pp: 2, ep: 1, dp: 4}")).status, 0);
  EXPECT_EQ(Workplace().check(with("{tp: 1, pp: 1, ep: 1, dp: 3}")).status, 0); // of one node
}

TEST(BadField, OfExperts) {
  EXPECT_EQ(
      problems(small_scenario() + "moe: {balancing: periodic, iteration: 1001}\n"),
      "scenario.yaml:18:39: moe.iteration: where experts are rebalanced, every iteration up to 1001 would be followed; "
      "use at most 1000\n");
  EXPECT_EQ(problems(small_scenario() + "moe: {routing: {type: zipf, exponent: 11}, balancing: reroute}\n"),
            lines({"scenario.yaml:18:39: moe.routing.exponent: is 11; use 0 to 10",
                   "scenario.yaml:18:55: moe.balancing: reroute moves what is above an expert's capacity; give "
                   "moe.capacity_factor"}));
  EXPECT_EQ(problems(small_scenario() + "moe: {pad_expert_input_to_capacity: true}\n"),
            "scenario.yaml:18:37: moe.pad_expert_input_to_capacity: there is no capacity; give moe.capacity_factor, or "
            "leave this out\n");
  EXPECT_EQ(problems(small_scenario() + "moe: {capacity_factor: all}\n"),
            "scenario.yaml:18:24: moe.capacity_factor: unknown value 'all'; expected none\n");
  EXPECT_EQ(problems(small_scenario() + "inference: {batch_size: 1}\n"),
            "scenario.yaml:18:12: inference: given beside training, and a run does one of them; keep one of the two\n");
}

TEST(BadField, PipelineLayout) {
  EXPECT_EQ(problems_of_tp("tp: 2, layout: Etx|tL"), "scenario.yaml:14:27: parallel.layout: position 3: unknown 'x'; "
                                                     "known are E, t, m, L, |, *, ( and )\n");
  EXPECT_EQ(
      problems_of_tp("tp: 2, pipeline_model_parallel_layout: t||t"),
      lines({"scenario.yaml:14:51: parallel.pipeline_model_parallel_layout: position 3: stage 1 is empty; put t in "
             "it, or remove the '|'",
             "scenario.yaml:14:51: parallel.pipeline_model_parallel_layout: position 1: the embedding is missing; "
             "begin with E",
             "scenario.yaml:14:51: parallel.pipeline_model_parallel_layout: position 4: the loss is missing; end "
             "with L"}));
  EXPECT_EQ(problems_of_tp("tp: 2, layers_per_stage: [1, 1], layout: Et|tL"),
            "scenario.yaml:14:53: parallel.layout: layers_per_stage says the same; keep one of the two\n");
}

TEST(BadField, Recomputation) {
  EXPECT_EQ(problems_of_training("recompute: half"),
            "scenario.yaml:18:14: training.recompute: unknown value 'half'; expected one of none, selective, full\n");
  EXPECT_EQ(problems_of_training("recompute: {granularity: selective, modules: [core_attn, mpl]}"),
            "scenario.yaml:18:60: training.recompute.modules.1: unknown value 'mpl'; did you mean 'mlp'? expected one "
            "of mlp, core_attn, moe_act, layernorm, mla_up_proj, moe, shared_experts, op\n");
  EXPECT_EQ(problems_of_training("recompute: {granularity: selective, modules: [op, mlp]}"),
            "scenario.yaml:18:48: training.recompute.modules: op says of every operator whether it is kept, mlp among "
            "them; leave out one of them\n");
  EXPECT_EQ(
      problems_of_training("recompute: {granularity: full, num_layers: 0, modules: [mlp]}"),
      lines({"scenario.yaml:18:46: training.recompute.num_layers: 0 is too small; expected a whole number from 1 "
             "to 1000000",
             "scenario.yaml:18:49: training.recompute.modules: unknown key 'modules'; known keys are granularity, "
             "method, num_layers"}));
}

TEST(BadField, ContextParallelism) {
  const auto with_cp = [](std::string_view seq_length, std::string_view more) {
    return problems(small_scenario({{"seq_length: 128", seq_length}, {"tp: 2", "tp: 1, " + std::string(more)}}));
  };
  EXPECT_EQ(
      with_cp("seq_length: 130", "cp: 2"),
      "scenario.yaml:14:23: parallel.cp: seq_length 130 is not a multiple of 2 x cp = 4, and ranks have two slices "
      "of a sequence each; use 1 or 5\n");
  const auto with_kv_heads = [](std::string_view heads) {
    return problems(small_scenario({{"  vocab_size", "  num_key_value_heads: " + std::string(heads) + "\n  vocab_size"},
                                    {"tp: 2", "tp: 1, cp: 2, cp_comm_type: a2a"}}));
  };
  EXPECT_EQ(with_kv_heads("1"), "scenario.yaml:15:23: parallel.cp: 2 does not divide the 1 key-value heads of a rank, "
                                "which cp_comm_type a2a splits, too; use 1\n");
}

TEST(BadField, ExpertTensorParallelism) {
  EXPECT_EQ(
      problems_of_tp("tp: 2, etp: 3"),
      lines({"scenario.yaml:14:24: parallel.etp: 3 does not divide the 4 ranks of a stage (tp x cp x dp); use 2 or 4",
             "scenario.yaml:14:24: parallel.etp: 3 does not divide the 512 columns of an expert; use 2 or 4"}));
}

TEST(BadField, AllProblemsInTheOrderOfTheFile) {
  EXPECT_EQ(
      problems(small_scenario({{"name: small", "nmae: small"},
                               {"dgx-h100", "dgx-h1000"},
                               {"hidden_size: 256", "hidden_size: 0"},
                               {"ep: 2", "ep: two"},
                               {"seq_length: 128", "seq_length: [128]"}})),
      lines({"scenario.yaml:3:1: nmae: unknown key 'nmae'; did you mean 'name'?",
             "scenario.yaml:4:18: platform.base: unknown cluster 'dgx-h1000'; did you mean 'dgx-h100'?",
             "scenario.yaml:7:16: model.hidden_size: 0 is too small; expected a whole number from 1 to 10000000",
             "scenario.yaml:14:30: parallel.ep: found the text \"two\"; expected a whole number from 1 to 1000000",
             "scenario.yaml:17:15: training.seq_length: found a list; expected a whole number from 1 to "
             "100000000"}));
}

} // namespace
} // namespace moesim::testing
