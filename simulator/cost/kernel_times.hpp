// How long the kernels of a task take: as long as the GPU does, or as the host that launches them, whichever takes
// longer. The host runs ahead of the GPU, so that what it takes is hidden while kernels are long, and is all that
// counts while they are short: PyTorch goes through Python, autograd and the driver for each kernel, which takes longer
// than many a kernel does. How far the host is ahead when a task begins is not kept: it starts level with the GPU, as
// it does after it waited for a transfer between stages, for a count of tokens or for the norm of the gradients.
#pragma once

#include <algorithm>
#include <span>

#include "platforms/gpu.hpp"
#include "simulator/base/operator.hpp"
#include "simulator/base/units.hpp"

namespace moesim::cost {

// What a kernel costs the host: all that the framework does in between two of them, on average. 0: nothing.
struct LaunchTimes {
  Seconds forward;
  Seconds backward; // autograd calls it from C++, so it takes less

  bool operator==(const LaunchTimes&) const = default;
};

// Unless a scenario says otherwise: PyTorch's modules under autograd, which Transformer Engine's are. Guessed from
// public counts of kernels, and checked against one row: a layer of Qwen3-30B-A3B with 16 experts a rank launches some
// 130 kernels forward and 180 backward (our count), and takes 9 ms, which are taken to be the host's (Megatron-Bridge,
// docs/performance-summary.md, 25.11, B200 with micro-batches of one sequence).
inline constexpr LaunchTimes default_launch{Seconds(40e-6), Seconds(20e-6)};

// Of kernels that run one after the other, at 1 times the GPU's speed.
struct KernelTimes {
  Seconds gpu;
  Seconds host;

  [[nodiscard]] Seconds at(double speed) const { return std::max(gpu / speed, host); }
};
[[nodiscard]] KernelTimes kernel_times(std::span<const Operator> operators, const platforms::Gpu& gpu,
                                       const LaunchTimes& launch);

} // namespace moesim::cost
