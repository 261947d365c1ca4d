// How long the kernels of a task take: as long as the GPU does, or as the host that launches them, whichever takes
// longer. The host runs ahead of the GPU, so that what it takes is hidden while kernels are long, and is all that
// counts while they are short: PyTorch goes through Python, autograd and the driver for each kernel, which takes longer
// than many a kernel does. A task begins with the lead that the host has by then over the GPU: none after it sent to
// another stage, or waited for a count of tokens, or for a pass.
#pragma once

#include <algorithm>
#include <span>

#include "platforms/gpu.hpp"
#include "simulator/base/operator.hpp"
#include "simulator/base/units.hpp"

namespace moesim::cost {

// What a kernel costs the host: all that the framework does in between two of them, on average. 0: nothing, as with
// CUDA graphs, and where a scenario says nothing.
struct LaunchTimes {
  Seconds forward{};
  Seconds backward{}; // autograd calls it from C++, so it takes less
  // From the end of an iteration to the next one's first kernel, which the host spends on data, metrics and logs.
  Seconds step{};
  // Whether it waits for the GPU between a forward and a backward pass, as with timers that synchronize.
  bool waits_for_passes = false;

  bool operator==(const LaunchTimes&) const = default;
};

// Of kernels that run one after the other, at 1 times the GPU's speed.
struct KernelTimes {
  Seconds gpu;
  Seconds host;

  // From when the GPU begins with them: of the host's time, what it spent while the GPU was busy with what came before,
  // `lead`, is hidden. And the lead that it has when they end.
  [[nodiscard]] Seconds at(double speed, Seconds lead = {}) const {
    return std::max(gpu / speed, host - std::min(lead, host));
  }
  [[nodiscard]] Seconds lead_after(double speed, Seconds lead) const {
    return std::max(Seconds(), lead + gpu / speed - host);
  }
};
[[nodiscard]] KernelTimes kernel_times(std::span<const Operator> operators, const platforms::Gpu& gpu,
                                       const LaunchTimes& launch);

} // namespace moesim::cost
