// The steps of every part of the model, ready to be repeated for each layer and micro-batch.
#pragma once

#include <array>
#include <map>
#include <vector>

#include "workloads/program_tables.hpp"
#include "workloads/training.hpp"

namespace moesim::workloads {

struct LayerSteps {
  std::vector<SegmentStep> forward, backward;
  // For layers that are recomputed as a whole, by whether it is their input that is kept: the first forward pass, and
  // the second.
  std::array<std::vector<SegmentStep>, 2> unkept, again;
};

struct StageParts {
  std::map<LayerKind, LayerSteps> layers;
  std::vector<SegmentStep> embedding_forward, embedding_backward;
  // The head's and, after it in the forward, those of the modules for multi-token prediction.
  std::vector<std::vector<SegmentStep>> head_forward, head_backward;
  LayerSteps mtp_layer;
  std::vector<SegmentStep> mtp_input_forward, mtp_input_backward;
  graph::Step activation, gradient; // transfers to the next and to the previous stage
};

[[nodiscard]] StageParts make_parts(const TrainingJob& job, ProgramTables& tables);

} // namespace moesim::workloads
