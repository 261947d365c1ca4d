// What a model_type implies when its config.json does not say: Hugging Face keeps these in the model's code.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "workloads/model.hpp"

namespace moesim::workloads {

// The traits of a model_type; unless a row says otherwise, those of Llama.
struct Family {
  std::string_view model_type;
  bool gated = true;
  bool attention_bias = false;
  bool output_bias = true; // where attention has biases, so has its output projection
  bool mlp_bias = false;
  bool clamps_activation = false;
  bool scales_rotary = false;
  Norm norm = Norm::RmsNorm;
  bool post_norms = false;
  bool learned_positions = false;
  QkNorm qk_norm = QkNorm::None;
  bool attention_sinks = false;
  bool router_bias = false;
  bool shared_gate = false;
  std::int64_t shared_experts = 0;
  std::int64_t experts_per_token = 0; // 0: the config.json must say
  std::int64_t full_reach_every = 0;  // every n-th layer reaches fully; 0: none does
  bool window_is_opt_in = false;      // the window counts only with use_sliding_window: true
  bool input_embedding_is_active = true;
};

// The family of a model_type, or nullptr.
[[nodiscard]] const Family* find_family(std::string_view model_type);
// All of them, "gpt, gpt3, ...".
[[nodiscard]] std::string known_model_types();

// Why models of this type are refused, or "" when nothing is known against it.
[[nodiscard]] std::string_view refusal(std::string_view model_type);

} // namespace moesim::workloads
