// Writes the program of one pipeline stage, step behind step: what a training iteration and an inference run share.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "simulator/graph/program.hpp"
#include "workloads/program_tables.hpp"

namespace moesim::workloads {

class StageWriter {
public:
  using Index = graph::Program::StepIndex;

  // With overlap_pp a pass does not wait for the sends of the pass before it.
  explicit StageWriter(bool overlap_pp) : overlap_pp_(overlap_pp) {}

  // Appends a step behind what came before on this rank ...
  void follow(const graph::Step& step) { chain_ = {program_.add(step, chain_)}; }
  // ... or beside what comes next, which does not wait for it unless told to.
  Index beside(const graph::Step& step) { return program_.add(step, chain_); }
  void wait_for(const std::vector<Index>& steps) { chain_.insert(chain_.end(), steps.begin(), steps.end()); }

  // Appends the steps of one part of the model, of a micro-batch and layer (-1: none).
  void play(const std::vector<SegmentStep>& steps, std::int32_t micro_batch, std::int64_t layer);

  // Transfers to and from another stage.
  void receive(graph::Step transfer, std::int64_t from, std::int32_t micro_batch);
  void send(graph::Step transfer, std::int64_t to, std::int32_t micro_batch);

  [[nodiscard]] graph::Program finish() { return std::move(program_); }

private:
  bool overlap_pp_;
  graph::Program program_;
  std::vector<Index> chain_; // what the next step waits for
};

} // namespace moesim::workloads
