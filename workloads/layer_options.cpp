#include "workloads/layer_options.hpp"

#include <algorithm>

namespace moesim::workloads {

std::string_view name_of(AttentionBackend backend) {
  constexpr std::array<std::string_view, 4> names{"flash", "flash-2", "flash-1", "unfused"};
  return names[static_cast<std::size_t>(backend)];
}

std::string_view name_of(TransformerImpl impl) {
  constexpr std::array<std::string_view, 3> names{"transformer_engine", "local", "eager"};
  return names[static_cast<std::size_t>(impl)];
}

std::string_view name_of(ScaleKernels kernels) {
  constexpr std::array<std::string_view, 3> names{"none", "swizzle", "zero-and-swizzle"};
  return names[static_cast<std::size_t>(kernels)];
}

std::string_view name_of(Fp8Scaling scaling) {
  constexpr std::array<std::string_view, 3> names{"delayed", "current", "row"};
  return names[static_cast<std::size_t>(scaling)];
}

std::string_view name_of(CudaGraphModule module) {
  constexpr std::array<std::string_view, cuda_graph_module_count> names{
      "attn", "mlp", "moe", "moe_router", "moe_preprocess", "full_iteration"};
  return names[static_cast<std::size_t>(module)];
}

bool CudaGraphScope::captures(std::string_view segment) const {
  struct Home {
    std::string_view segment;
    CudaGraphModule module;
  };
  constexpr std::array<Home, 6> homes{{{"attention", CudaGraphModule::Attn},
                                       {"mlp", CudaGraphModule::Mlp},
                                       {"experts", CudaGraphModule::Moe},
                                       {"unpermute", CudaGraphModule::Moe},
                                       {"router", CudaGraphModule::MoeRouter},
                                       {"shared-experts", CudaGraphModule::MoeRouter}}};
  return contains(CudaGraphModule::FullIteration) ||
         std::ranges::any_of(homes, [&](const Home& home) { return home.segment == segment && contains(home.module); });
}

std::string_view name_of(CpCommType type) {
  constexpr std::array<std::string_view, 3> names{"p2p", "all_gather", "a2a"};
  return names[static_cast<std::size_t>(type)];
}

std::string_view name_of(ExpertActivation activation) {
  constexpr std::array<std::string_view, 3> names{"kernel", "steps", "in-products"};
  return names[static_cast<std::size_t>(activation)];
}

std::string_view name_of(Dispatcher dispatcher) {
  constexpr std::array<std::string_view, 3> names{"alltoall", "allgather", "deepep"};
  return names[static_cast<std::size_t>(dispatcher)];
}

std::string_view name_of(RecomputeModule module) {
  constexpr std::array<std::string_view, recompute_module_count> names{
      "core_attn", "moe_act", "layernorm", "mla_up_proj", "mlp", "moe", "shared_experts", "op"};
  return names[static_cast<std::size_t>(module)];
}

} // namespace moesim::workloads
