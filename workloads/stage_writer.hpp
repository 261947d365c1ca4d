// Writes the program of one pipeline stage, step behind step: what a training iteration and an inference run share.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "simulator/graph/program.hpp"
#include "workloads/program_tables.hpp"

namespace moesim::workloads {

// What a part of the model runs for.
struct Occasion {
  std::int32_t micro_batch = -1;
  std::int64_t layer = -1;
  std::uint8_t chunk = 0;
};

// One end of a transfer: the stage at the other end, and what is sent.
struct Transfer {
  graph::Step step;
  std::int64_t peer = 0;
  std::int32_t micro_batch = 0;
  std::uint8_t chunk = 0; // of the sender
};

class StageWriter {
public:
  using Index = graph::Program::StepIndex;

  explicit StageWriter(const graph::Queues& queues) : program_(queues) {}

  // Appends a step behind what came before on this rank ...
  void follow(const graph::Step& step) { chain_ = {program_.add(step, chain_)}; }
  // ... or beside what comes next, which does not wait for it unless told to.
  Index beside(const graph::Step& step) { return program_.add(step, chain_); }
  void wait_for(const std::vector<Index>& steps) { chain_.insert(chain_.end(), steps.begin(), steps.end()); }

  // Appends the steps of one part of the model.
  void play(const std::vector<SegmentStep>& steps, const Occasion& occasion);

  // What the next step waits for.
  [[nodiscard]] const std::vector<Index>& chain() const { return chain_; }

  // Append a transfer from another stage, which starts after `after`, or to another stage, which starts behind what
  // came before. Nothing waits for it unless told to.
  Index receive(const Transfer& from, const std::vector<Index>& after);
  Index send(const Transfer& to);

  [[nodiscard]] graph::Program finish() { return std::move(program_); }

private:
  graph::Program program_;
  std::vector<Index> chain_;
};

} // namespace moesim::workloads
