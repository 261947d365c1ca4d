// Which schedule a scenario means, and that what `check` prints of it means the same.
#include <fstream>
#include <string>

#include <gmock/gmock.h>

#include "schedulers/pass_timeline.hpp"
#include "simulator/screen/screen.hpp"
#include "tests/scenario/scenario_text.hpp"

namespace moesim::scenario {
namespace {

using workloads::Training;

const std::string four_stages = "version: 1\n"
                                "platform: {base: dgx-h100, nodes: 4}\n"
                                "model: mixtral-8x7b\n"
                                "parallel: {tp: 2, pp: 4, ep: 4}\n"
                                "training: {global_batch_size: 64, seq_length: 4096}\n";

TEST(Schedule, DecidesHowManyChunksThereAre) {
  const auto chunks = [](const std::string& schedule) {
    return load_text(four_stages, {"training.schedule=" + schedule}).job().sizes.vpp;
  };
  EXPECT_EQ(chunks("1f1b"), 1);
  EXPECT_EQ(chunks("interleaved-1f1b"), 2);
  EXPECT_EQ(chunks("zb-v"), 2);
  EXPECT_EQ(chunks("dualpipe"), 1); // of each copy
}

TEST(Schedule, IsInterleavedWhereStagesHaveChunks) {
  EXPECT_EQ(load_text(four_stages, {"parallel.vpp=4"}).training_job().training.schedule, "interleaved-1f1b");
  const Scenario listed = load_text(four_stages, {"parallel.layers_per_stage=[3, 4, 4, 5, 4, 4, 4, 4]"});
  EXPECT_EQ(listed.job().sizes.vpp, 2);
  EXPECT_EQ(listed.training_job().training.schedule, "interleaved-1f1b");
  EXPECT_EQ(listed.job().first_layer(4), 16);
  EXPECT_EQ(load_text(four_stages, {"parallel.layout=\"Et*3|(tttt|)*6tttttL\""}).job().sizes.vpp, 2);
}

TEST(Schedule, MeansTheSameOnceResolved) {
  std::vector<std::string> schedules{
      "{type: zb-auto, max_in_flight: 6}",
      "{type: custom, placement: v, order: \"F0.0 F0.1 B0.1 B0.0\\nF0.0 F0.1 B0.1 B0.0\\n"
      "F0.0 F0.1 B0.1 B0.0\\nF0.0 F0.1 B0.1 B0.0\"}"};
  for (const std::string_view name : schedulers::schedule_names())
    schedules.emplace_back(name);
  for (const std::string& schedule : schedules) {
    const bool is_custom = schedule.find("custom") != std::string::npos;
    const Scenario scenario =
        load_text(four_stages, {"training.schedule=" + schedule, "training.p2p=eager",
                                "training.global_batch_size=" + std::string(is_custom ? "4" : "64")});
    const std::string resolved = resolved_yaml(scenario);
    const Scenario again = load_text(resolved);
    EXPECT_EQ(resolved_yaml(again), resolved) << schedule;
    EXPECT_EQ(pipeline_order(again.training_job()), pipeline_order(scenario.training_job())) << schedule;
  }
}

// Its order is made for what passes take on the cluster: no other in the same memory ends sooner there.
TEST(Schedule, IsSearchedForTheTimesOfTheCluster) {
  const Scenario scenario = load_text(
      four_stages, {"training.schedule={type: zb-auto, max_in_flight: 4}", "parallel.layers_per_stage=[5, 9, 9, 9]"});
  const workloads::TrainingJob& job = scenario.training_job();
  schedulers::ScheduleShape shape = schedule_shape(job);
  screen::Screen screen(scenario.cluster);
  screen::StageCosts costs = screen.pass_costs(job);
  ASSERT_EQ(costs.stages.size(), 4u);
  EXPECT_LT(costs.stages[0].forward, costs.stages[1].forward); // as many layers less
  EXPECT_GT(costs.transfer, Seconds());
  shape.costs = costs.stages;
  shape.transfer = costs.transfer.value();
  const auto makespan = [&](const schedulers::PipelineOrder& order) {
    return schedulers::time_passes(order, job.chunks(), shape).makespan;
  };
  const double searched = makespan(*job.training.order);
  EXPECT_LE(searched, makespan(schedulers::find_schedule("zb-h1").order(shape)));
  EXPECT_LE(searched, makespan(schedulers::find_schedule("1f1b").order(shape)));
  for (const double peak : schedulers::time_passes(*job.training.order, job.chunks(), shape).peak_activations)
    EXPECT_LE(peak, 4);
}

// Unless it is said how many micro-batches may be in flight, those that fit into the GPUs are.
TEST(Schedule, HoldsAsManyMicroBatchesAsFit) {
  const auto most = [](const std::string& capacity) {
    return load_text(four_stages, {"training.schedule=zb-auto", "training.global_batch_size=256",
                                   "platform.gpu.memory.capacity=" + capacity, "platform.gpu.memory.reserved=1MiB"})
        .training_job()
        .training.max_in_flight;
  };
  EXPECT_EQ(most("10GiB"), 4);  // not even one: as many as 1F1B has
  EXPECT_EQ(most("10TiB"), 64); // all of them
  EXPECT_GT(most("80GiB"), most("60GiB"));
}

TEST(Schedule, OfAFileLiesBesideTheScenario) {
  std::ofstream(std::filesystem::path(testing::TempDir()) / "order.csv")
      << "stage,pass,micro_batch,chunk\n0,F,0,0\n0,B,0,0\n1,F,0,0\n1,B,0,0\n1,W,0,0\n";
  const Scenario scenario = load_text(four_stages, {"training.schedule={type: custom, file: order.csv}",
                                                    "parallel.pp=2", "training.global_batch_size=8"});
  EXPECT_EQ(schedulers::describe(*scenario.training_job().training.order), "stage 0: F0 B0\nstage 1: F0 B0 W0\n");
}

} // namespace
} // namespace moesim::scenario
