// The steps of every part of the model, ready to be repeated for each layer and micro-batch.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <vector>

#include "workloads/program_tables.hpp"
#include "workloads/training.hpp"

namespace moesim::workloads {

// A backward as a whole, and, where the schedule splits some, in two parts.
struct BackwardSteps {
  std::vector<SegmentStep> whole, input, weight;
};

struct LayerSteps {
  std::vector<SegmentStep> forward;
  BackwardSteps backward;
  // For layers that are recomputed as a whole, by whether it is their input that is kept: the first forward pass, and
  // the second.
  std::array<std::vector<SegmentStep>, 2> unkept, again;
};

struct StageParts {
  std::map<LayerKind, LayerSteps> layers;
  std::vector<SegmentStep> embedding_forward, embedding_backward;
  // The head's and, after it in the forward, those of the modules for multi-token prediction.
  std::vector<std::vector<SegmentStep>> head_forward;
  std::vector<BackwardSteps> head_backward;
  LayerSteps mtp_layer;
  std::vector<SegmentStep> mtp_input_forward;
  BackwardSteps mtp_input_backward;
  std::vector<SegmentStep> expert_moves; // of a layer
  graph::Step activation, gradient;      // transfers to the virtual stages behind and before; who sends sets the stream
  std::vector<SegmentStep> gather_activation, gather_gradient; // behind a transfer, if its parts are gathered
};

enum class Backwards : std::uint8_t { Whole, Split };

[[nodiscard]] StageParts make_parts(const TrainingJob& job, Backwards backwards, ProgramTables& tables);

} // namespace moesim::workloads
