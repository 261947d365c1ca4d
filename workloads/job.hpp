// What training and inference share: a model, and how it is spread over ranks.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "schedulers/chunk_placement.hpp"
#include "simulator/graph/program.hpp"
#include "workloads/group_load.hpp"
#include "workloads/layer_options.hpp"
#include "workloads/layout.hpp"
#include "workloads/model.hpp"

namespace moesim::workloads {

// How experts are served: the `moe` section of a scenario.
struct MoeOptions {
  Dispatcher dispatcher = Dispatcher::AllToAll;
  bool fp8_dispatch = false; // DeepEp sends tokens, and gradients, to the experts in FP8
  LoadOptions load;          // how tokens find their experts, and which rank holds which
};

struct Job {
  ModelSpec model;
  MoeOptions moe;
  ParallelSizes sizes;
  bool sequence_parallel = false;
  schedulers::ChunkPlacement placement =
      schedulers::ChunkPlacement::Loop;       // of the stages' chunks, as the schedule has it
  std::vector<std::int64_t> layers_per_stage; // of each virtual stage; empty: all have equally many
  graph::Queues queues = graph::own_queues(); // which streams of a rank are one

  // The model is cut into virtual stages, one behind the other; without chunks these are the stages.
  [[nodiscard]] schedulers::Chunks chunks() const {
    return {placement, sizes.pp, placement == schedulers::ChunkPlacement::Bidirectional ? 2 : sizes.vpp};
  }
  [[nodiscard]] std::int64_t layers_of(std::int64_t virtual_stage) const {
    return layers_per_stage.empty() ? model.num_layers / chunks().virtual_stages()
                                    : layers_per_stage[static_cast<std::size_t>(virtual_stage)];
  }
  [[nodiscard]] std::int64_t first_layer(std::int64_t virtual_stage) const;
  // Whether the ranks that hold an embedding hold a head, too, and share a table with it: on its way there and back a
  // model ends where it begins, and of two copies one ends where the other begins (DeepSeek-V3, arXiv 2412.19437,
  // section 3.2.3).
  [[nodiscard]] bool ends_meet() const {
    return sizes.pp == 1 || has_two_copies() || (placement == schedulers::ChunkPlacement::V && sizes.vpp % 2 == 0);
  }
  // Whether every rank has parts of two copies of the model.
  [[nodiscard]] bool has_two_copies() const { return placement == schedulers::ChunkPlacement::Bidirectional; }
};

// Takes the program of one stage after the other; `tables` holds the works and names so far.
using StageVisitor = std::function<void(graph::Program program, const graph::Programs& tables)>;
// The programs that `visit_all` has a visitor take.
[[nodiscard]] graph::Programs all_stages(const std::function<void(const StageVisitor&)>& visit_all);

} // namespace moesim::workloads
