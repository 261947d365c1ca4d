// Keeps what an executor reports, and lays it out as a RunRecord.
#pragma once

#include <vector>

#include "simulator/execution/executor.hpp"
#include "simulator/record/run_record.hpp"
#include "simulator/run/link_histogram.hpp"
#include "workloads/layout.hpp"

namespace moesim::run {

// Without rows; the words are those of the task graph.
[[nodiscard]] record::TaskTable empty_table();

class Recorder : public execution::RunSink {
public:
  Recorder(const graph::TaskGraph& graph, const execution::Costs& costs);

  void task_ran(TaskId task, Seconds start, Seconds end) override {
    start_[task.value()] = start.value();
    end_[task.value()] = end.value();
  }
  void flow_ran(const execution::Flow& flow, Seconds start, Seconds end) override;

  // One row per rank of the graph per task, sorted by rank, start and stream; ranks are those of the job.
  [[nodiscard]] record::TaskTable timeline() const;
  // What each task of the graph waits for.
  [[nodiscard]] record::Dependencies dependencies() const;
  [[nodiscard]] record::LinkLoad link_load() const;

private:
  const graph::TaskGraph& graph_;
  const execution::Costs& costs_;
  std::vector<double> start_;
  std::vector<double> end_;
  LinkHistogram links_;
};

} // namespace moesim::run
