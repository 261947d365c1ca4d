#include "workloads/layer_options.hpp"

namespace moesim::workloads {

std::string_view name_of(AttentionBackend backend) {
  return backend == AttentionBackend::Flash ? "flash" : "unfused";
}

std::string_view name_of(CpCommType type) {
  constexpr std::array<std::string_view, 3> names{"p2p", "all_gather", "a2a"};
  return names[static_cast<std::size_t>(type)];
}

std::string_view name_of(Dispatcher dispatcher) {
  constexpr std::array<std::string_view, 3> names{"alltoall", "allgather", "deepep"};
  return names[static_cast<std::size_t>(dispatcher)];
}

std::string_view name_of(RecomputeModule module) {
  constexpr std::array<std::string_view, recompute_module_count> names{
      "core_attn", "moe_act", "layernorm", "mla_up_proj", "mlp", "moe", "shared_experts"};
  return names[static_cast<std::size_t>(module)];
}

} // namespace moesim::workloads
