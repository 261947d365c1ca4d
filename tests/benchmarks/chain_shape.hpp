// The job that simgrid_floor and executor_benchmark both run. Each GPU runs a chain of segments: some compute tasks,
// then a collective with one flow per member, in turn of its tensor-parallel group (8 GPUs, NVLink) and of its
// expert-parallel group (16 GPUs, NICs). Compute tasks differ by up to 5 %, so that groups drift apart as they do in a
// real job.
#pragma once

#include <cstddef>
#include <cstdint>

struct ChainShape {
  static constexpr std::uint32_t tensor_group = 8;
  static constexpr std::uint32_t expert_group = 16;
  static constexpr double nvlink_bytes_per_s = 450e9;
  static constexpr double nic_bytes_per_s = 50e9;

  std::uint32_t gpus = 512;      // a multiple of 16
  std::uint32_t segments = 1152; // collectives per GPU
  std::uint32_t computes_per_gpu = 1152;

  // What `execs` and `comms` activities come to, rounded down to whole chains.
  static ChainShape of(std::uint32_t gpus, std::size_t execs, std::size_t comms) {
    if (gpus == 0)
      return {0, 0, 0};
    return {gpus, static_cast<std::uint32_t>(comms / gpus), static_cast<std::uint32_t>(execs / gpus)};
  }

  [[nodiscard]] std::size_t computes() const { return std::size_t(gpus) * computes_per_gpu; }
  [[nodiscard]] std::size_t flows() const { return std::size_t(gpus) * segments; }

  // Number of a GPU's compute tasks that precede the collective of `segment`.
  [[nodiscard]] std::uint32_t computes_before(std::uint32_t segment) const {
    return static_cast<std::uint32_t>(std::uint64_t(segment + 1) * computes_per_gpu / segments);
  }
  [[nodiscard]] static bool is_expert(std::uint32_t segment) { return segment % 2 == 1; }
  [[nodiscard]] static std::uint32_t group_size(std::uint32_t segment) {
    return is_expert(segment) ? expert_group : tensor_group;
  }
  [[nodiscard]] static double flow_bytes(std::uint32_t segment) { return is_expert(segment) ? 5e6 : 10e6; }

  // Duration class of a compute task, and its length in seconds.
  static constexpr std::uint32_t duration_classes = 1000;
  [[nodiscard]] static std::uint32_t duration_class(std::uint32_t gpu, std::uint32_t compute) {
    std::uint32_t mixed = gpu * 2654435761U + compute * 2246822519U;
    mixed = (mixed ^ (mixed >> 15)) * 2654435761U;
    return (mixed >> 13) % duration_classes;
  }
  [[nodiscard]] static double duration(std::uint32_t duration_class) {
    return 100e-6 * (1 + 0.05 * duration_class / duration_classes);
  }
};
