// What follows from the timeline: memory over time on each rank, and throughput over time.
#pragma once

#include "simulator/graph/task_graph.hpp"
#include "simulator/record/run_record.hpp"
#include "workloads/stage_memory.hpp"

namespace moesim::run {

// Replays what tasks take when they start and give back when they end, on top of what each stage holds throughout. At
// equal times what ended gives back first. Rows are changes of what lasts from one task to another; communication
// buffers and workspace are those of the fullest moment before the next row.
[[nodiscard]] record::MemorySeries replay_memory(const record::TaskTable& table, const graph::TaskGraph& graph,
                                                 const std::vector<workloads::StageMemory>& stages,
                                                 const workloads::Layout& layout);

// Counts tokens as a rate over 100 equal slices of a run.
class RateCounter {
public:
  explicit RateCounter(Seconds makespan);
  void count(double time, double tokens);
  [[nodiscard]] record::Throughput result() const { return rates_; }

private:
  double width_; // s
  record::Throughput rates_;
};

// A micro-batch's tokens count when its backward ends where the model begins: on stage 0, or, of two copies of the
// model, on the first stage of the copy that it goes through.
[[nodiscard]] record::Throughput throughput(const record::TaskTable& table, const workloads::TrainingJob& job,
                                            const workloads::Layout& layout, const graph::Folding& folding,
                                            Seconds makespan);

} // namespace moesim::run
