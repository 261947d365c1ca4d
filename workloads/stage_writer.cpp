#include "workloads/stage_writer.hpp"

namespace moesim::workloads {
namespace {

graph::Step step_of(const Transfer& transfer) {
  graph::Step step = transfer.step;
  step.peer_stage = static_cast<std::uint32_t>(transfer.peer);
  step.task.micro_batch = transfer.micro_batch;
  step.task.chunk = transfer.chunk;
  return step;
}

} // namespace

void StageWriter::play(const std::vector<SegmentStep>& steps, const Occasion& occasion) {
  std::vector<Index> running; // beside the next step
  for (SegmentStep step : steps) {
    step.task.micro_batch = occasion.micro_batch;
    step.task.layer = static_cast<std::int16_t>(occasion.layer);
    step.task.chunk = occasion.chunk;
    if (step.beside_next) {
      running.push_back(beside(step));
      continue;
    }
    follow(step);
    wait_for(running);
    running.clear();
  }
  wait_for(running);
}

StageWriter::Index StageWriter::receive(const Transfer& from, const std::vector<Index>& after) {
  graph::Step step = step_of(from);
  step.receives = true;
  return program_.add(step, after);
}

StageWriter::Index StageWriter::send(const Transfer& to) {
  return beside(step_of(to));
}

} // namespace moesim::workloads
