#include "workloads/model_family.hpp"

#include <algorithm>
#include <array>

namespace moesim::workloads {
namespace {

constexpr Family gpt{.model_type = "gpt", // Megatron-LM's; also with experts
                     .gated = false,
                     .attention_bias = true,
                     .mlp_bias = true,
                     .norm = Norm::LayerNorm,
                     .learned_positions = true};

constexpr Family alike(Family family, std::string_view model_type) {
  family.model_type = model_type;
  return family;
}

// Llama 4 reaches fully in every fourth layer (its positions are left out there), and has one shared expert.
constexpr Family llama4{.model_type = "llama4_text", .shared_experts = 1, .full_reach_every = 4};

constexpr Family qwen2{.model_type = "qwen2", .attention_bias = true, .output_bias = false, .window_is_opt_in = true};
constexpr Family qwen2_moe{.model_type = "qwen2_moe",
                           .attention_bias = true,
                           .output_bias = false,
                           .shared_gate = true,
                           .window_is_opt_in = true};
constexpr Family qwen3{.model_type = "qwen3", .qk_norm = QkNorm::Head, .window_is_opt_in = true};

// The model card of GPT-OSS (arXiv 2508.10925, table 1) counts the output embedding as active, the input one not.
constexpr Family gpt_oss{.model_type = "gpt_oss",
                         .attention_bias = true,
                         .mlp_bias = true,
                         .clamps_activation = true,
                         .scales_rotary = true,
                         .attention_sinks = true,
                         .router_bias = true,
                         .full_reach_every = 2,
                         .input_embedding_is_active = false};

constexpr std::array families{
    gpt,
    alike(gpt, "gpt3"),                                                        // Brown et al., arXiv 2005.14165
    alike(gpt, "mpt"),                                                         // MosaicML's llm-foundry
    Family{.model_type = "llama"},                                             // Touvron et al., arXiv 2302.13971
    llama4,                                                                    // Meta, Hugging Face transformers
    Family{.model_type = "mistral"},                                           // Jiang et al., arXiv 2310.06825
    Family{.model_type = "mixtral", .experts_per_token = 2},                   // Jiang et al., arXiv 2401.04088
    Family{.model_type = "moe"},                                               // a Llama with experts
    Family{.model_type = "nemotron", .gated = false, .norm = Norm::LayerNorm}, // NVIDIA, arXiv 2406.11704
    Family{.model_type = "grok-1", .post_norms = true},                        // xAI's repository grok-1, model.py
    Family{.model_type = "deepseek_v2", .input_embedding_is_active = false},   // arXiv 2405.04434: 21 B of 236 B
    Family{.model_type = "deepseek_v3", .input_embedding_is_active = false},   // arXiv 2412.19437: 37 B of 671 B
    Family{.model_type = "kimi_k2", .input_embedding_is_active = false},       // arXiv 2507.20534: 32 B of 1.04 T
    qwen2,                                                                     // arXiv 2407.10671
    qwen2_moe,
    qwen3, // arXiv 2505.09388
    alike(qwen3, "qwen3_moe"),
    Family{.model_type = "olmoe", .qk_norm = QkNorm::Width}, // arXiv 2409.02060
    gpt_oss,
};

struct Refusal {
  std::string_view model_type;
  std::string_view reason;
};

constexpr std::array<Refusal, 5> refusals{{
    {"deepseek_v32", "its attention selects keys through an index, which is not modelled"},
    {"deepseek_v4", "its attention compresses and selects keys, which is not modelled"},
    {"llama4", "it also sees pictures; give the fields of its text_config, whose model_type is llama4_text"},
    {"nemotron_h", "it mixes state-space layers with attention, and only transformers are modelled"},
    {"qwen3_next", "three of four layers have linear attention, and only transformers are modelled"},
}};

} // namespace

const Family* find_family(std::string_view model_type) {
  const auto found = std::ranges::find(families, model_type, &Family::model_type);
  return found == families.end() ? nullptr : &*found;
}

std::string known_model_types() {
  std::string known;
  for (const Family& each : families)
    known.append(known.empty() ? "" : ", ").append(each.model_type);
  return known;
}

std::string_view refusal(std::string_view model_type) {
  const auto found = std::ranges::find(refusals, model_type, &Refusal::model_type);
  return found == refusals.end() ? "" : found->reason;
}

} // namespace moesim::workloads
