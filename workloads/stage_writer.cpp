#include "workloads/stage_writer.hpp"

namespace moesim::workloads {

void StageWriter::play(const std::vector<SegmentStep>& steps, std::int32_t micro_batch, std::int64_t layer) {
  std::vector<Index> running; // beside the next step
  for (SegmentStep step : steps) {
    step.task.micro_batch = micro_batch;
    step.task.layer = static_cast<std::int16_t>(layer);
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

void StageWriter::receive(graph::Step transfer, std::int64_t from, std::int32_t micro_batch) {
  transfer.receives = true;
  transfer.peer_stage = static_cast<std::uint32_t>(from);
  transfer.task.micro_batch = micro_batch;
  chain_.push_back(program_.add(transfer, {}));
}

void StageWriter::send(graph::Step transfer, std::int64_t to, std::int32_t micro_batch) {
  transfer.peer_stage = static_cast<std::uint32_t>(to);
  transfer.task.micro_batch = micro_batch;
  const Index sent = beside(transfer);
  if (!overlap_pp_)
    chain_.push_back(sent);
}

} // namespace moesim::workloads
