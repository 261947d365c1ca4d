// Pipelines whose makespan is known in closed form.
#include <algorithm>

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

graph::TaskGraph pipeline(std::int64_t stages, std::int64_t micro_batches, bool overlap = false,
                          const char* schedule = "1f1b") {
  scenario::Scenario scenario = small_scenario();
  scenario.job().model.num_layers = stages;
  scenario.job().sizes = {.pp = stages};
  scenario.job().sequence_parallel = false;
  scenario.training_job().training.global_batch_size = micro_batches;
  scenario.training_job().training.overlap.pp = overlap;
  scenario.training_job().training.schedule = schedule;
  return task_graph(scenario);
}

// Both take (m + p - 1)(F + B): Narayanan et al., arXiv 2104.04473, section 2.2.1; Huang et al., arXiv 1811.06965.
class OfSchedule : public testing::TestWithParam<const char*> {};

TEST_P(OfSchedule, TakesAsLongAsItsFormulaSays) {
  IgnoreAll sink;
  for (const std::int64_t stages : {1, 2, 4, 8}) {
    for (const std::int64_t micro_batches : {1, 3, 8, 32}) {
      const graph::TaskGraph graph = pipeline(stages, micro_batches, false, GetParam());
      execution::IdealExecutor executor;
      const Seconds makespan = executor.run(graph, unit_costs(graph, Seconds(0)), sink, {});
      EXPECT_DOUBLE_EQ(makespan.value(), static_cast<double>(micro_batches + stages - 1) * 3)
          << stages << " stages, " << micro_batches << " micro-batches";
    }
  }
}

INSTANTIATE_TEST_SUITE_P(ClosedForm, OfSchedule, testing::Values("1f1b", "gpipe"));

TEST(ClosedForm, OneForwardOneBackwardOnSimGrid) {
  IgnoreAll sink;
  const graph::TaskGraph graph = pipeline(4, 9);
  execution::SimGridExecutor executor;
  EXPECT_NEAR(executor.run(graph, unit_costs(graph, Seconds(0)), sink, {}).value(), (9 + 4 - 1) * 3, 36e-9);
}

// Two stages and one micro-batch: a transfer each way.
TEST(ClosedForm, TransfersDelayAPipeline) {
  IgnoreAll sink;
  const graph::TaskGraph graph = pipeline(2, 1);
  execution::IdealExecutor executor;
  EXPECT_DOUBLE_EQ(executor.run(graph, unit_costs(graph, Seconds(0.25)), sink, {}).value(), 6 + 2 * 0.25);
}

class EndOfTransfer : public IgnoreAll {
public:
  EndOfTransfer(const graph::TaskGraph& graph, std::string name, std::int32_t micro_batch)
      : graph_(graph), name_(std::move(name)), micro_batch_(micro_batch) {}
  void task_ran(TaskId task, Seconds, Seconds ended) override {
    if (graph_.names()[graph_.task(task).name] == name_ && graph_.task(task).micro_batch == micro_batch_)
      end = ended;
  }
  Seconds end;

private:
  const graph::TaskGraph& graph_;
  std::string name_;
  std::int32_t micro_batch_;
};

// (m + p - 1)(F + B) + 2c(p - 2 + m - ceil((m - 1) / p)) with p = 2, m = 4, F + B = 3, c = 1/4. Worked out by hand,
// too: the second stage runs F0 1.25-2.25, B0 -4.25, F1 -5.25, B1 -7.25, F2 7.75-8.75, B2 -10.75, F3 -11.75, B3 -13.75.
TEST(ClosedForm, OverlappedTransfersDelayOnlyWhatNeedsThem) {
  const graph::TaskGraph graph = pipeline(2, 4, true);
  execution::IdealExecutor executor;
  EndOfTransfer second(graph, "activation", 1);
  EXPECT_DOUBLE_EQ(executor.run(graph, unit_costs(graph, Seconds(0.25)), second, {}).value(), 16);
  // It arrives while the receiver computes: a transfer never waits for the receiver's compute.
  EXPECT_DOUBLE_EQ(second.end.value(), 2.25);
}

// Without overlap the pass after a send waits for it: the first stage's second forward starts at 1.25, not 1, and the
// second stage's forwards wait for its gradients to leave. By hand: its B3 ends at 14, the gradient arrives at 14.25.
TEST(ClosedForm, WithoutOverlapTheNextPassWaitsForTheWholeGroup) {
  const graph::TaskGraph graph = pipeline(2, 4, false);
  execution::IdealExecutor executor;
  EndOfTransfer second(graph, "activation", 1);
  EXPECT_DOUBLE_EQ(executor.run(graph, unit_costs(graph, Seconds(0.25)), second, {}).value(), 16.25);
  EXPECT_DOUBLE_EQ(second.end.value(), 2.5);
}

// Ring attention of four ranks: three exchanges of `exchange` seconds beside three of four kernels of 1 s each, and
// twice that backward, with one exchange more that nothing hides.
double ring_attention_takes(double exchange) {
  scenario::Scenario scenario = small_scenario();
  scenario.job().model.num_layers = 1;
  scenario.job().model.moe.reset();
  scenario.job().sizes = {.cp = 4};
  scenario.job().sequence_parallel = false;
  scenario.training_job().training.global_batch_size = 1;
  const graph::TaskGraph graph = task_graph(scenario);
  execution::Costs costs;
  costs.durations = {Seconds(0), Seconds(1), Seconds(2)};
  costs.communications = {{Seconds(0), {}}, {Seconds(exchange), {}}};
  for (const graph::Task& task : graph.tasks()) {
    const bool is_kernel = task.layer >= 0 && graph.names()[task.name] == "attention";
    if (task.kind == graph::Kind::Compute)
      costs.of_task.push_back(!is_kernel ? 0 : task.phase == graph::Phase::Forward ? 1 : 2);
    else
      costs.of_task.push_back(task.kind == graph::Kind::RingExchange ? 1 : 0);
  }
  IgnoreAll sink;
  execution::IdealExecutor executor;
  return executor.run(graph, costs, sink, {}).value();
}

TEST(ClosedForm, RingAttentionHidesItsExchangesBehindItsKernels) {
  // Of the five backward kernels called attention one is the output projection, before the ring, and one the
  // projection of queries, keys and values, after it, joined by the last kernel's end.
  const double without = ring_attention_takes(0);
  EXPECT_DOUBLE_EQ(ring_attention_takes(0.5), without + 0.5);
  EXPECT_DOUBLE_EQ(ring_attention_takes(1.5), without + 3 * 0.5 + 1.5);
  EXPECT_DOUBLE_EQ(ring_attention_takes(3), without + 3 * 2 + 3 * 1 + 3);
}

// One layer with experts on two ranks: experts of `experts` seconds forward and twice that backward, all-to-alls of
// `all_to_all` seconds, or each in two halves.
double expert_layer_takes(workloads::ExpertOverlap overlap, double experts, double all_to_all) {
  scenario::Scenario scenario = small_scenario();
  scenario.job().model.num_layers = 1;
  scenario.job().sizes = {.ep = 2, .dp = 2};
  scenario.job().sequence_parallel = false;
  scenario.training_job().training.global_batch_size = 2;
  scenario.training_job().training.overlap.expert = overlap;
  const graph::TaskGraph graph = task_graph(scenario);
  const double parts = overlap == workloads::ExpertOverlap::Chunked ? 2 : 1;
  execution::Costs costs;
  costs.durations = {Seconds(0), Seconds(experts / parts), Seconds(2 * experts / parts)};
  costs.communications = {{Seconds(0), {}}, {Seconds(all_to_all / parts), {}}};
  for (const graph::Task& task : graph.tasks()) {
    if (task.kind == graph::Kind::Compute)
      costs.of_task.push_back(graph.names()[task.name] != "experts" ? 0 : task.phase == graph::Phase::Forward ? 1 : 2);
    else
      costs.of_task.push_back(task.kind == graph::Kind::AllToAll ? 1 : 0);
  }
  IgnoreAll sink;
  execution::IdealExecutor executor;
  return executor.run(graph, costs, sink, {}).value();
}

// A + E forward and A + 2E backward with nothing beside; half a way there and back is always exposed, and of two halves
// of the way and two of the experts the longer ones: A + max(A, E) and A + max(A, 2E).
TEST(ClosedForm, HalvesOfTheTokensTravelBesideTheExpertsOfTheOthers) {
  using workloads::ExpertOverlap;
  for (const double all_to_all : {0.0, 0.5, 1.0, 1.5, 3.0}) {
    EXPECT_DOUBLE_EQ(expert_layer_takes(ExpertOverlap::None, 1, all_to_all), 4 * all_to_all + 3);
    EXPECT_DOUBLE_EQ(expert_layer_takes(ExpertOverlap::Chunked, 1, all_to_all),
                     2 * all_to_all + std::max(all_to_all, 1.0) + std::max(all_to_all, 2.0));
  }
}

// One dense layer on four tensor ranks, where every product, or piece of one, takes 1 s, an exchange `exchange` and a
// gather or sum in bulk `bulk` seconds.
double tensor_layer_takes(double exchange, double bulk) {
  scenario::Scenario scenario = small_scenario();
  scenario.job().model.num_layers = 1;
  scenario.job().model.moe.reset();
  scenario.job().sizes = {.tp = 4};
  scenario.training_job().training.global_batch_size = 1;
  scenario.training_job().training.overlap.tp = true;
  const graph::TaskGraph graph = task_graph(scenario);
  execution::Costs costs;
  costs.durations = {Seconds(0), Seconds(1), Seconds(2)};
  costs.communications = {{Seconds(0), {}}, {Seconds(exchange), {}}, {Seconds(bulk), {}}};
  for (const graph::Task& task : graph.tasks()) {
    if (task.kind == graph::Kind::Compute)
      costs.of_task.push_back(task.layer < 0 ? 0
                                             : static_cast<std::uint32_t>(std::ranges::count(
                                                   graph.work(task).operators, OperatorKind::Gemm, &Operator::kind)));
    else
      costs.of_task.push_back(task.kind == graph::Kind::RingExchange ? 1 : task.layer < 0 ? 0 : 2);
  }
  IgnoreAll sink;
  execution::IdealExecutor executor;
  return executor.run(graph, costs, sink, {}).value();
}

// Of four products forward, and two gradients of inputs backward, three exchanges run beside three of four pieces; the
// other two gradients of inputs hide a gather each, and their weights' a sum. Two gradients of weights hide nothing.
TEST(ClosedForm, TensorParallelCommunicationHidesBehindProducts) {
  for (const double exchange : {0.0, 0.5, 2.0})
    for (const double bulk : {0.0, 0.5, 3.0})
      EXPECT_DOUBLE_EQ(tensor_layer_takes(exchange, bulk),
                       6 * (3 * std::max(exchange, 1.0) + 1) + 2 + 4 * std::max(bulk, 1.0));
}

} // namespace
} // namespace moesim::run
