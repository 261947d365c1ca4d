// Choices of how the layers of a model are computed: names and meanings are Megatron Core's.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace moesim::workloads {

// Flash: one fused kernel, the one that suits the GPU best. Flash2, Flash1: that of FlashAttention-2 (Dao, arXiv
// 2307.08691) or of the first FlashAttention and its Triton versions (Dao et al., arXiv 2205.14135). Unfused: products
// and softmax as kernels of their own, scores in memory.
enum class AttentionBackend : std::uint8_t { Flash, Flash2, Flash1, Unfused };

// Whose modules a layer is made of, which decides what is fused with what. TransformerEngine: gradients of biases, of
// norms' parameters and their sum over micro-batches come with other kernels. Local: Megatron's own modules, or what a
// compiler makes of PyTorch's: each of these is a kernel, but elementwise steps that follow each other are one. Eager:
// PyTorch's, each step a kernel.
enum class TransformerImpl : std::uint8_t { TransformerEngine, Local, Eager };

// What kernels a cast to MXFP8 has besides, of each group by itself. None: what is left of them is part of others.
// Swizzle: products want the scales of both factors in another order than casts write them. ZeroAndSwizzle: casts are
// given scales that were zeroed, too.
enum class ScaleKernels : std::uint8_t { None, Swizzle, ZeroAndSwizzle };

// Where the scale of an FP8 tensor comes from. Delayed: from earlier ones (Transformer Engine, DelayedScaling).
// Current: from its own largest element, which is looked for first (Float8CurrentScaling; torchao, TENSORWISE). Row:
// each row has one, along what a product sums over, so that a product that reads the matrix transposed wants other
// scales (torchao, ROWWISE).
enum class Fp8Scaling : std::uint8_t { Delayed, Current, Row };

// How context-parallel ranks, each with its part of the sequence, attend to each other's keys and values. P2p: keys and
// values travel around a ring while each rank attends to those it has (ring attention, Liu et al., arXiv 2310.01889).
// AllGather: they are gathered first (Llama 3, arXiv 2407.21783, section 3.3.2). A2a: heads are traded for tokens
// before attention and back after it (DeepSpeed Ulysses, arXiv 2309.14509).
enum class CpCommType : std::uint8_t { P2p, AllGather, A2a };

// How tokens get to the ranks of their experts and back. AllToAll: a copy for each expert. AllGather: every rank of the
// group gets all tokens, and adds up what it made of them. DeepEp: a token goes to each node once for all of its
// experts there, and is handed on over NVLink (DeepEP; DeepSeek-V3, arXiv 2412.19437, section 3.2.2).
enum class Dispatcher : std::uint8_t { AllToAll, AllGather, DeepEp };

// What of the experts' activation is a kernel of its own. Kernel: all of it together. Steps: clamps (GPT-OSS) and the
// biases of the second product besides, as Megatron Core has them. InProducts: nothing; of products that are cast for,
// it is part of them, casts included (Megatron Core, use_transformer_engine_op_fuser).
enum class ExpertActivation : std::uint8_t { Kernel, Steps, InProducts };

// Parts of a layer that can be computed again in the backward pass instead of being kept (`recompute_modules`). Op is
// torchtitan's choice by operator: attention and every other product of queries, keys, values, output, gate, up and
// down are kept, and so are sums over tp; keys, output, up and all that is elementwise are computed again (torchtitan,
// distributed/activation_checkpoint.py, `selective_ac_option = "op"`). Of experts it recomputes nothing here.
enum class RecomputeModule : std::uint8_t { CoreAttn, MoeAct, Layernorm, MlaUpProj, Mlp, Moe, SharedExperts, Op };
inline constexpr std::size_t recompute_module_count = 8;

class RecomputeModules {
public:
  void add(RecomputeModule module) { chosen_[static_cast<std::size_t>(module)] = true; }
  [[nodiscard]] bool contains(RecomputeModule module) const { return chosen_[static_cast<std::size_t>(module)]; }
  bool operator==(const RecomputeModules&) const = default;

private:
  std::array<bool, recompute_module_count> chosen_{};
};

// What is launched as CUDA graphs, hence costs the host nothing (`cuda_graph_scope`); kernels between two modules
// belong to the one that they are named after.
// What comes between the router and the dispatch goes with the router, MoePreprocess or not.
enum class CudaGraphModule : std::uint8_t { Attn, Mlp, Moe, MoeRouter, MoePreprocess, FullIteration };
inline constexpr std::size_t cuda_graph_module_count = 6;

class CudaGraphScope {
public:
  void add(CudaGraphModule module) { chosen_[static_cast<std::size_t>(module)] = true; }
  [[nodiscard]] bool contains(CudaGraphModule module) const { return chosen_[static_cast<std::size_t>(module)]; }
  // Whether the kernels of a segment of this name are captured.
  [[nodiscard]] bool captures(std::string_view segment) const;
  bool operator==(const CudaGraphScope&) const = default;

private:
  std::array<bool, cuda_graph_module_count> chosen_{};
};

// How YAML spells them: "flash", "p2p", "core_attn", ...
[[nodiscard]] std::string_view name_of(AttentionBackend backend);
[[nodiscard]] std::string_view name_of(TransformerImpl impl);
[[nodiscard]] std::string_view name_of(ScaleKernels kernels);
[[nodiscard]] std::string_view name_of(Fp8Scaling scaling);
[[nodiscard]] std::string_view name_of(CudaGraphModule module);
[[nodiscard]] std::string_view name_of(CpCommType type);
[[nodiscard]] std::string_view name_of(ExpertActivation activation);
[[nodiscard]] std::string_view name_of(Dispatcher dispatcher);
[[nodiscard]] std::string_view name_of(RecomputeModule module);

} // namespace moesim::workloads
