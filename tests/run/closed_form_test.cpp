// Pipelines whose makespan is known in closed form.
#include <gtest/gtest.h>

#include "simulator/execution/ideal_executor.hpp"
#include "simulator/execution/simgrid_executor.hpp"
#include "simulator/run/simulate.hpp"
#include "tests/run/test_scenario.hpp"

namespace moesim::run {
namespace {

class IgnoreAll : public execution::RunSink {
public:
  void task_ran(TaskId, Seconds, Seconds) override {}
  void flow_ran(const execution::Flow&, Seconds, Seconds) override {}
};

// One GPU a stage, one layer a stage; a forward takes 1 s, a backward 2 s, everything else nothing but `transfer`.
execution::Costs unit_costs(const graph::TaskGraph& graph, Seconds transfer) {
  execution::Costs costs;
  costs.durations = {Seconds(0), Seconds(1), Seconds(2)};
  costs.communications = {{transfer, {}}};
  for (const graph::Task& task : graph.tasks()) {
    const bool is_pass = task.kind == graph::Kind::Compute && task.layer >= 0 &&
                         graph.names()[task.name] == "attention"; // one of the layer's kernels stands for the layer
    costs.of_task.push_back(!is_pass ? 0 : task.phase == graph::Phase::Forward ? 1 : 2);
  }
  return costs;
}

graph::TaskGraph pipeline(std::int64_t stages, std::int64_t micro_batches) {
  scenario::Scenario scenario = small_scenario();
  scenario.job.model.num_layers = stages;
  scenario.job.sizes = {.pp = stages};
  scenario.job.sequence_parallel = false;
  scenario.job.training.global_batch_size = micro_batches;
  return task_graph(scenario);
}

// Narayanan et al., arXiv 2104.04473, section 2.2.1: (m + p - 1)(F + B).
TEST(ClosedForm, OneForwardOneBackward) {
  IgnoreAll sink;
  for (const std::int64_t stages : {1, 2, 4, 8}) {
    for (const std::int64_t micro_batches : {1, 3, 8, 32}) {
      const graph::TaskGraph graph = pipeline(stages, micro_batches);
      execution::IdealExecutor executor;
      const Seconds makespan = executor.run(graph, unit_costs(graph, Seconds(0)), sink, {});
      EXPECT_DOUBLE_EQ(makespan.value(), static_cast<double>(micro_batches + stages - 1) * 3)
          << stages << " stages, " << micro_batches << " micro-batches";
    }
  }
}

TEST(ClosedForm, OneForwardOneBackwardOnSimGrid) {
  IgnoreAll sink;
  const graph::TaskGraph graph = pipeline(4, 9);
  execution::SimGridExecutor executor(execution::Network::Fluid);
  EXPECT_NEAR(executor.run(graph, unit_costs(graph, Seconds(0)), sink, {}).value(), (9 + 4 - 1) * 3, 36e-9);
}

// Two stages and one micro-batch: a transfer each way.
TEST(ClosedForm, TransfersDelayAPipeline) {
  IgnoreAll sink;
  const graph::TaskGraph graph = pipeline(2, 1);
  execution::IdealExecutor executor;
  EXPECT_DOUBLE_EQ(executor.run(graph, unit_costs(graph, Seconds(0.25)), sink, {}).value(), 6 + 2 * 0.25);
}

} // namespace
} // namespace moesim::run
