#include "tests/run/random_scenario.hpp"

#include <algorithm>
#include <initializer_list>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace moesim::run {
namespace {

// The standard fixes what its engines give, but not what its distributions make of it.
class Dice {
public:
  explicit Dice(std::uint64_t seed) : engine_(seed) {}

  // 0 .. limit - 1.
  std::uint64_t below(std::uint64_t limit) { return engine_() % limit; }
  bool one_in(std::uint64_t chances) { return below(chances) == 0; }
  template <class Value>
  Value pick(std::initializer_list<Value> values) {
    return values.begin()[below(values.size())];
  }
  // Mostly 1, so that the product of six of them often fits a cluster.
  std::uint64_t degree() { return one_in(2) ? pick({2U, 2U, 4U, 3U, 8U}) : 1U; }
  std::string boolean(std::uint64_t chances) { return one_in(chances) ? "true" : "false"; }

private:
  std::mt19937_64 engine_;
};

std::string model_yaml(Dice& dice, std::uint64_t layers) {
  const std::string sizes =
      fmt::format("  hidden_size: 96\n  num_hidden_layers: {}\n  num_attention_heads: 24\n  num_key_value_heads: {}\n"
                  "  head_dim: 8\n  intermediate_size: 192\n  vocab_size: 960\n  tie_word_embeddings: {}\n",
                  layers, dice.pick({24, 24, 8, 2}), dice.boolean(4));
  const std::string experts = fmt::format("  num_experts_per_tok: {}\n", dice.pick({1, 2, 4}));
  const std::string latent = "  kv_lora_rank: 32\n  qk_nope_head_dim: 8\n  qk_rope_head_dim: 8\n  v_head_dim: 8\n";
  switch (dice.below(7)) {
  case 0:
    return "  model_type: llama\n" + sizes;
  case 1: // positions for the shorter sequences only
    return "  model_type: gpt\n  position_embedding_type: learned\n  max_position_embeddings: 96\n" + sizes;
  case 2:
    return "  model_type: mixtral\n  num_local_experts: 24\n" + sizes + experts;
  case 3:
    return "  model_type: deepseek_v3\n  n_routed_experts: 24\n  moe_intermediate_size: 48\n  n_shared_experts: 2\n"
           "  first_k_dense_replace: 1\n  q_lora_rank: 48\n" +
           sizes + experts + latent;
  case 4: // a latent of keys and values only
    return "  model_type: deepseek_v2\n  n_routed_experts: 8\n  n_shared_experts: 1\n  moe_intermediate_size: 24\n" +
           sizes + experts + latent;
  case 5:
    return "  model_type: qwen2_moe\n  num_experts: 12\n  moe_intermediate_size: 48\n"
           "  shared_expert_intermediate_size: 96\n  decoder_sparse_step: 2\n" +
           sizes + experts;
  default:
    return "  model_type: gpt_oss\n  num_local_experts: 8\n  sliding_window: 20\n" + sizes + experts;
  }
}

// Layers dealt out to the stages at random; sometimes one too many.
std::string stages_yaml(Dice& dice, std::uint64_t layers, std::uint64_t pp) {
  std::vector<std::uint64_t> stages(pp, 1);
  const std::uint64_t total = layers + (dice.one_in(8) ? 1 : 0);
  for (std::uint64_t layer = pp; layer < total; ++layer)
    ++stages[dice.below(pp)];
  return fmt::format(", layers_per_stage: [{}]", fmt::join(stages, ", "));
}

std::string recompute_yaml(Dice& dice) {
  switch (dice.below(4)) {
  case 0: {
    std::vector<std::string> modules;
    for (const char* module : {"core_attn", "moe_act", "layernorm", "mla_up_proj", "mlp", "moe", "shared_experts"})
      if (dice.one_in(3))
        modules.emplace_back(module);
    return fmt::format("{{granularity: selective, modules: [{}]}}", fmt::join(modules, ", "));
  }
  case 1:
    return fmt::format("{{granularity: full, method: {}, num_layers: {}}}", dice.pick({"uniform", "block"}),
                       dice.pick({1, 2, 3}));
  default:
    return "none";
  }
}

const std::set<std::string> schedules_that_fuse{"1f1b", "interleaved-1f1b", "dualpipe", "dualpipe-v"};

// All-to-alls of experts beside compute, mostly where there are any.
std::string expert_overlap(Dice& dice, bool has_experts, const std::string& schedule) {
  const bool can_fuse = schedules_that_fuse.contains(schedule);
  if (dice.one_in(has_experts && can_fuse ? 3 : 40))
    return "true";
  return dice.one_in(has_experts ? 2 : 20) ? "chunked" : "false";
}

// Two copies of the model want more than others do; mostly they get it.
struct ScheduleDraw {
  std::string name;
  bool has_copies;
  std::uint64_t micro_batches;
};

ScheduleDraw schedule_draw(Dice& dice, std::uint64_t pp) {
  ScheduleDraw draw;
  draw.name = dice.pick({"1f1b", "1f1b", "1f1b", "gpipe", "interleaved-1f1b", "zb-h1", "zb-h2", "zb-v", "zb-auto",
                         "dualpipe", "dualpipe-v"});
  draw.has_copies = draw.name == "dualpipe" && !dice.one_in(4);
  const bool wants_many = draw.name.starts_with("dualpipe") && !dice.one_in(4);
  draw.micro_batches = wants_many ? 2 * pp + 2 * dice.below(2) : 1 + dice.below(4);
  return draw;
}

std::string training_yaml(Dice& dice, std::uint64_t pp, std::uint64_t dp, bool has_experts) {
  const ScheduleDraw schedule = schedule_draw(dice, pp);
  const std::uint64_t micro = dice.pick({1U, 1U, 2U, 3U});
  const std::string sharding = schedule.has_copies
                                   ? dice.pick({"none", "zero-1"})
                                   : dice.pick({"none", "zero-1", "zero-1", "zero-2", "zero-3", "fsdp"});
  const std::uint64_t global = dice.one_in(12) ? 7 : micro * dp * schedule.micro_batches;
  const std::string length = fmt::to_string(dice.pick({48, 96, 96, 144, 50}));
  const std::string precision = dice.pick({"bf16", "fp16", "fp8", "fp32"});
  const std::string recompute = recompute_yaml(dice);
  const int modules = schedule.has_copies ? 0 : dice.pick({0, 0, 0, 1, 2});
  const std::string grad_reduce = dice.boolean(schedule.has_copies ? 24 : 2);
  const std::string param_gather = dice.boolean(schedule.has_copies || sharding == "none" ? 24 : 3);
  return fmt::format("training:\n  global_batch_size: {}\n  micro_batch_size: {}\n  seq_length: {}\n  precision: {}\n"
                     "  schedule: {}\n  p2p: {}\n  ddp_bucket_size: {}\n  recompute: {}\n  sharding: {}\n  "
                     "attention_backend: {}\n"
                     "  mtp_num_layers: {}\n  grad_reduce_in_fp32: {}\n",
                     global, micro, length, precision, schedule.name, dice.one_in(6) ? "rendezvous" : "eager",
                     dice.pick({1, 20'000, 40'000'000}), recompute, sharding, dice.one_in(6) ? "unfused" : "flash",
                     modules, dice.boolean(2)) +
         fmt::format("  overlap: {{grad_reduce: {}, param_gather: {}, pp: {}, tp: {}, expert: {}}}\n", grad_reduce,
                     param_gather, dice.boolean(2), dice.boolean(2), expert_overlap(dice, has_experts, schedule.name)) +
         fmt::format("  prefetch: {}\n  grad_compression: {}\n  main_params_dtype: {}\n  exp_avg_dtype: {}\n",
                     dice.pick({1, 1, 2, 5}),
                     dice.one_in(6) ? dice.pick({"{factor: 0.5}", "{factor: 0.03125}"}) : "none",
                     dice.pick({"fp32", "fp16"}), dice.pick({"fp32", "bf16", "fp8"}));
}

std::string inference_yaml(Dice& dice, std::uint64_t dp, bool has_all_to_alls) {
  const std::uint64_t micro = has_all_to_alls ? dice.pick({1U, 2U, 2U, 4U}) : dice.pick({1U, 1U, 2U, 3U});
  // Halves of a micro-batch take turns mostly where they can.
  const bool takes_turns = has_all_to_alls && micro % 2 == 0 ? !dice.one_in(4) : dice.one_in(16);
  return fmt::format("inference:\n  batch_size: {}\n  micro_batch_size: {}\n  prompt_length: {}\n  output_length: {}\n"
                     "  precision: {}\n  kv_cache_precision: {}\n  kv_block_size: {}\n",
                     dice.one_in(12) ? 7 : micro * dp * (1 + dice.below(4)), micro, dice.pick({1, 17, 48, 90}),
                     dice.pick({1, 2, 5, 9}), dice.pick({"bf16", "fp16", "fp8", "fp32"}),
                     dice.pick({"bf16", "fp8", "fp8"}), dice.pick({1, 4, 16})) +
         fmt::format("  overlap: {{two_batch: {}}}\n", takes_turns);
}

// Between the nodes, and inside them.
std::string fabric_yaml(Dice& dice) {
  const std::string leaf = fmt::format("nodes_per_leaf: {}, oversubscription", dice.pick({1, 2, 3}));
  const double ratio = dice.pick({1.0, 1.5, 2.0, 8.0});
  switch (dice.below(6)) {
  case 0:
    return fmt::format("{{type: fat-tree, levels: 3, leaves_per_pod: {}, {}: [{}, {}], hop_latency: 200ns}}",
                       dice.pick({1, 2}), leaf, ratio, dice.pick({1.0, 3.0}));
  case 1:
    return fmt::format("{{type: rail-optimized, {}: {}, hop_latency: 1us}}", leaf, ratio);
  case 2:
    return "{type: rail-only}";
  default:
    return fmt::format("{{type: fat-tree, {}: {}}}", leaf, ratio);
  }
}

std::string node_yaml(Dice& dice) {
  switch (dice.below(8)) {
  case 0:
    return ", node: {nvlink: {type: mesh}}";
  case 1:
    return ", node: {pcie: {bandwidth: 40GB/s, latency: 1us}}";
  case 2:
    return ", node: {pcie: {bandwidth: 90GB/s}, nic: {per_node: 4}}";
  case 3:
    return ", node: {nic: {per_node: 16}}";
  default:
    return "";
  }
}

// Sometimes a network that differs from the base, and sometimes something that is slower than the rest.
std::string platform_yaml(Dice& dice, const char* base, int nodes) {
  std::string network = dice.one_in(3) ? node_yaml(dice) : "";
  std::vector<std::string> overrides;
  if (dice.one_in(3)) {
    const std::string fabric = fabric_yaml(dice);
    network += ", fabric: " + fabric;
    if (dice.one_in(3) && fabric.find("rail-only") == std::string::npos)
      overrides.push_back(fmt::format("{{link: leaf0{}, bandwidth_factor: 0.3}}", dice.pick({"", ".up", ".down"})));
  }
  if (dice.one_in(6))
    overrides.push_back(fmt::format("{{gpu: {}, speed: 0.7}}", dice.below(16)));
  if (dice.one_in(6))
    overrides.push_back(fmt::format("{{link: node{}.nic{}{}, bandwidth_factor: 0.4}}", dice.below(2), dice.below(8),
                                    dice.pick({"", ".up", ".down"})));
  return fmt::format("platform: {{base: {}, nodes: {}{}, overrides: [{}]}}\n", base, nodes, network,
                     fmt::join(overrides, ", "));
}

// How faithfully each stream is simulated, and sometimes by what algorithm.
std::string simulation_yaml(Dice& dice) {
  const std::string one = dice.pick({"fluid", "fluid", "flow", "analytic"});
  const std::string other = dice.pick({"fluid", "flow", "analytic"});
  const std::string network =
      dice.one_in(3) ? fmt::format("{{default: {}, {}: {}}}", one, dice.pick({"tp", "ep", "dp", "cp", "pp"}), other)
                     : one;
  const std::string streams =
      dice.one_in(6) ? fmt::format("dp: {}, tp: {}", dice.pick({"tp", "ep"}), dice.pick({"tp", "cp", "ep"})) : "";
  return fmt::format("simulation: {{network: {}, algorithms: {{ep: {}}}, streams: {{{}}}}}\n", network,
                     dice.pick({"auto", "direct", "pairwise"}), streams);
}

} // namespace

std::string random_scenario(std::uint64_t seed) {
  Dice dice(seed);
  const std::uint64_t layers = dice.pick({2U, 4U, 4U, 6U, 8U});
  const char* const base = dice.pick({"dgx-h100", "dgx-h100", "dgx-a100-80gb"});
  const int nodes = dice.pick({2, 4, 8, 8});
  const std::string model = model_yaml(dice, layers);
  const std::uint64_t tp = dice.degree();
  const std::uint64_t cp = dice.degree();
  const std::uint64_t pp = dice.degree();
  const std::uint64_t dp = dice.degree();
  const bool has_experts = model.find("num_experts_per_tok") != std::string::npos;
  const bool spreads_experts = has_experts || dice.one_in(8);
  const std::uint64_t ep = spreads_experts ? dice.degree() : 1;
  const std::uint64_t etp = spreads_experts && dice.one_in(3) ? dice.degree() : 1;
  const std::string stages =
      (layers % pp != 0 && !dice.one_in(3)) || dice.one_in(6) ? stages_yaml(dice, layers, pp) : "";
  std::string parallel = fmt::format(
      "parallel: {{tp: {}, cp: {}, pp: {}, dp: {}, ep: {}, etp: {}, sequence_parallel: {}, "
      "cp_comm_type: {}{}}}\n",
      tp, cp, pp, dp, ep, etp, dice.one_in(10) ? "false" : "true", dice.pick({"p2p", "all_gather", "a2a"}), stages);
  const bool is_inference = seed % 4 == 3;
  if (is_inference) // context parallelism is for training
    parallel = fmt::format("parallel: {{tp: {}, pp: {}, dp: {}, ep: {}, etp: {}{}}}\n", tp, pp, dp, ep, etp, stages);
  const std::string work =
      is_inference ? inference_yaml(dice, dp, has_experts && ep > 1) : training_yaml(dice, pp, dp, has_experts);
  return "version: 1\n" + platform_yaml(dice, base, nodes) + "model:\n" + model + parallel + work +
         simulation_yaml(dice);
}

std::string random_routing(std::uint64_t seed) {
  Dice dice(seed);
  const std::string type = dice.pick({"zipf, exponent: 1.2", "zipf, exponent: 0.5", "dirichlet, alpha: 0.3",
                                      "hot, hot_share: 0.2", "hot, hot_share: 0.25, hot_experts: 2, correlation: 1"});
  const std::string balancing = dice.pick({"none", "none", "eplb", "{type: periodic, interval: 2}", "predictive",
                                           "work-stealing", "reroute", "{type: work-stealing, reaction_time: 20us}"});
  const bool drops = balancing == "reroute" || dice.one_in(4);
  const std::string capacity = drops ? fmt::format(", capacity_factor: {}, pad_expert_input_to_capacity: {}",
                                                   dice.pick({0.8, 1.25, 2.0}), dice.boolean(3))
                                     : fmt::format(", router_padding: {}", dice.pick({1, 1, 16}));
  return fmt::format("moe: {{routing: {{type: {}, drift: 0.2, sampled: {}}}, balancing: {}, placement: {}, dispatcher: "
                     "{}, iteration: {}{}}}\n",
                     type, dice.boolean(4), balancing, dice.pick({"contiguous", "round-robin"}),
                     dice.pick({"alltoall", "alltoall", "deepep", "allgather"}), dice.below(4), capacity);
}

} // namespace moesim::run
