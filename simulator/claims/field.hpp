// What the sums of a claim may name of the scenario that it is judged with.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "simulator/claims/figure.hpp"

namespace moesim::claims {

enum class Field : std::uint8_t {
  Gpus,
  Tp,
  Cp,
  Pp,
  Ep,
  Etp,
  Dp,
  Edp,
  Layers,
  Heads,
  HeadDim,
  HiddenSize,
  ExpertSize,
  Experts,
  ExpertsPerToken,
  VocabSize,
  Parameters,
  ActiveParameters,
  BatchSize,
  MicroBatchSize,
  MicroBatches,
  SeqLength,
  FlopsPerToken,
  ElementSize,
  GpuFlops,
  GpuBandwidth,
  GpuMemory,
  NvlinkBandwidth,
  NicBandwidth,
};

struct FieldWords {
  Field field;
  std::string_view name;
  Unit unit; // to show its value in
  std::string_view meaning;
};

// Every field, in the order of Field.
[[nodiscard]] std::span<const FieldWords> fields();

} // namespace moesim::claims
