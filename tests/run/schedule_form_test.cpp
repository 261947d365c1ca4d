// What the task graph of an iteration does with a schedule's order: the same as running the passes by themselves.
#include <gtest/gtest.h>

#include "schedulers/pass_timeline.hpp"
#include "simulator/execution/ideal_executor.hpp"
#include "simulator/run/simulate.hpp"
#include "tests/run/test_scenario.hpp"

namespace moesim::run {
namespace {

using schedulers::PipelineOrder;
using schedulers::PipelineSchedule;
using workloads::ExpertOverlap;
using workloads::TrainingJob;

class IgnoreAll : public execution::RunSink {
public:
  void task_ran(TaskId, Seconds, Seconds) override {}
  void flow_ran(const execution::Flow&, Seconds, Seconds) override {}
};

// One layer for each chunk, on one GPU a stage.
scenario::Scenario pipeline(const PipelineSchedule& schedule, std::int64_t stages, std::int64_t micro_batches,
                            std::int64_t chunks) {
  scenario::Scenario scenario = small_scenario();
  TrainingJob& job = scenario.training_job();
  job.training.schedule = schedule.name;
  job.placement = schedule.placement;
  job.sizes = {.pp = stages, .vpp = job.has_two_copies() ? 1 : chunks};
  job.model.num_layers = job.chunks().virtual_stages();
  job.sequence_parallel = false;
  job.training.global_batch_size = micro_batches;
  job.training.overlap.pp = true;
  return scenario;
}

// Of a layer's kernels those of attention stand for the layer; its backward is 0.75 for the input, and 0.5 for the
// weights wherever these are. A transfer between stages takes `transfer`, everything else nothing.
execution::Costs unit_costs(const graph::TaskGraph& graph, double share, double transfer) {
  execution::Costs costs;
  for (const double time : {0.0, 1.0, 0.75, 0.5, 1.25})
    costs.durations.emplace_back(share * time);
  costs.communications = {{Seconds(0), {}}, {Seconds(transfer), {}}};
  for (const graph::Task& task : graph.tasks()) {
    const std::string& name = graph.names()[task.name];
    if (task.kind != graph::Kind::Compute) {
      costs.of_task.push_back(name == "activation" || name == "gradient" ? 1 : 0);
      continue;
    }
    const auto& operators = graph.work(task).operators;
    const bool has_weights = std::ranges::count(operators, true, &Operator::gives_weight_gradient) > 0;
    std::uint32_t cost = 0;
    if (task.layer >= 0 && task.phase == graph::Phase::BackwardWeight)
      cost = 3;
    else if (task.layer >= 0 && name == "attention")
      cost = task.phase == graph::Phase::Forward ? 1 : has_weights ? 4 : 2;
    costs.of_task.push_back(cost);
  }
  return costs;
}

class EverySchedule : public testing::TestWithParam<std::string_view> {};

TEST_P(EverySchedule, RunsAsLongAsItsPassesByThemselves) {
  const PipelineSchedule& schedule = schedulers::find_schedule(GetParam());
  for (const std::int64_t stages : {2, 4, 8})
    for (const std::int64_t micro_batches : {4, 7, 16, 18})
      for (const double transfer : {0.0, 0.0625}) {
        const scenario::Scenario scenario =
            pipeline(schedule, stages, micro_batches, schedule.chunks == 0 ? 3 : schedule.chunks);
        const TrainingJob& job = scenario.training_job();
        schedulers::ScheduleShape shape = workloads::schedule_shape(job);
        if (!schedulers::refusal(schedule, shape).empty())
          continue;
        shape.costs.assign(static_cast<std::size_t>(stages),
                           {.forward = 1, .backward_input = 0.75, .backward_weight = 0.5});
        shape.transfer = transfer;
        PipelineOrder order = workloads::pipeline_order(job);
        for (auto& passes : order) // nothing runs together that the scenario does not say
          for (schedulers::PipelinePass& pass : passes)
            pass.with_next = false;
        const graph::TaskGraph graph = task_graph(scenario);
        execution::IdealExecutor executor;
        IgnoreAll sink;
        const Seconds makespan = executor.run(graph, unit_costs(graph, job.chunks().share(), transfer), sink, {});
        EXPECT_NEAR(makespan.value(), schedulers::time_passes(order, job.chunks(), shape).makespan, 1e-9)
            << stages << " stages, " << micro_batches << " micro-batches, transfers of " << transfer;
      }
}

INSTANTIATE_TEST_SUITE_P(Schedules, EverySchedule, testing::ValuesIn(schedulers::schedule_names()));

// Experts on two ranks, one micro-batch more than is needed to fill the pipeline. Of a layer's kernels, those before,
// between and behind its all-to-alls take 1 s each, an all-to-all `seconds`.
double with_all_to_alls(double seconds, ExpertOverlap overlap, std::int64_t micro_batches) {
  scenario::Scenario scenario = pipeline(schedulers::find_schedule("1f1b"), 1, micro_batches, 1);
  TrainingJob& job = scenario.training_job();
  job.sizes.ep = job.sizes.dp = 2;
  job.training.global_batch_size *= 2;
  job.training.overlap.expert = overlap;
  const graph::TaskGraph graph = task_graph(scenario);
  execution::Costs costs;
  costs.durations = {Seconds(0), Seconds(1)};
  costs.communications = {{Seconds(0), {}}, {Seconds(seconds), {}}};
  for (const graph::Task& task : graph.tasks()) {
    const std::string& name = graph.names()[task.name];
    const bool counts =
        task.layer >= 0 &&
        (task.kind == graph::Kind::AllToAll ||
         (task.kind == graph::Kind::Compute && (name == "experts" || name == "unpermute" || name == "router")));
    costs.of_task.push_back(counts ? 1 : 0);
  }
  execution::IdealExecutor executor;
  IgnoreAll sink;
  return executor.run(graph, costs, sink, {}).value();
}

// Forwards and backwards take 3 + 2 x seconds each. Of passes that run together every all-to-all lies beside kernels of
// the other: 6 s for both while an all-to-all takes no longer than a kernel. The first forward and the last backward
// have nobody to run with.
TEST(ExpertOverlapOfPasses, HidesAllToAllsBesideTheOtherPass) {
  for (const std::int64_t micro_batches : {1, 2, 5}) {
    const auto m = static_cast<double>(micro_batches);
    EXPECT_DOUBLE_EQ(with_all_to_alls(0.5, ExpertOverlap::None, micro_batches), m * (6 + 4 * 0.5));
    EXPECT_DOUBLE_EQ(with_all_to_alls(0.5, ExpertOverlap::Passes, micro_batches), (6 + 4 * 0.5) + (m - 1) * 6);
    EXPECT_DOUBLE_EQ(with_all_to_alls(1, ExpertOverlap::Passes, micro_batches), (6 + 4 * 1) + (m - 1) * 6);
  }
}

// A slower network shows again: two all-to-alls of each pass follow each other on one stream.
TEST(ExpertOverlapOfPasses, IsNoFasterThanItsAllToAlls) {
  EXPECT_GE(with_all_to_alls(3, ExpertOverlap::Passes, 5), 5 * 4 * 3);
  EXPECT_LT(with_all_to_alls(3, ExpertOverlap::Passes, 5), with_all_to_alls(3, ExpertOverlap::None, 5));
}

} // namespace
} // namespace moesim::run
