// What training and inference share: a model, and how it is spread over ranks.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "workloads/layout.hpp"
#include "workloads/model.hpp"

namespace moesim::workloads {

struct Job {
  ModelSpec model;
  ParallelSizes sizes;
  bool sequence_parallel = false;
  std::vector<std::int64_t> layers_per_stage; // empty: every stage has equally many

  [[nodiscard]] std::int64_t layers_of(std::int64_t stage) const {
    return layers_per_stage.empty() ? model.num_layers / sizes.pp : layers_per_stage[static_cast<std::size_t>(stage)];
  }
  [[nodiscard]] std::int64_t first_layer(std::int64_t stage) const;
};

// Takes the program of one stage after the other; `tables` holds the works and names so far.
using StageVisitor = std::function<void(graph::Program program, const graph::Programs& tables)>;

} // namespace moesim::workloads
