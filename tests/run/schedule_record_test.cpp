#include "simulator/run/schedule_record.hpp"

#include <algorithm>

#include <gmock/gmock.h>

namespace moesim::run {
namespace {

using testing::Each;
using testing::ElementsAre;

TimedSchedule timed(const char* name, const schedulers::ScheduleShape& shape) {
  const schedulers::PipelineSchedule& schedule = schedulers::find_schedule(name);
  const schedulers::Chunks chunks{schedule.placement, shape.stages, shape.chunks};
  const schedulers::PipelineOrder order = schedule.order(shape);
  return {name, order, chunks, shape, schedulers::time_passes(order, chunks, shape)};
}

std::string word(const std::vector<std::string>& words, std::size_t at) {
  return words.at(at);
}

// The end of the last task that each task waits for is its start: what analysis relies on.
void expect_waits_explain_starts(const record::RunRecord& run) {
  std::vector<double> end(run.dependencies.first.size() - 1, 0);
  for (std::size_t row = 0; row < run.tasks.size(); ++row)
    end[run.tasks.task[row]] = run.tasks.end[row];
  for (std::size_t row = 0; row < run.tasks.size(); ++row) {
    double ready = 0;
    for (const std::uint32_t before : run.dependencies.of(run.tasks.task[row]))
      ready = std::max(ready, end[before]);
    EXPECT_EQ(run.tasks.start[row], ready) << "row " << row;
  }
}

TEST(ScheduleRecord, HasATaskForEachPass) {
  const record::RunRecord run = schedule_record(timed("1f1b", {.stages = 2, .micro_batches = 2}));
  EXPECT_EQ(run.ranks.size(), 2u);
  EXPECT_EQ(run.figures.makespan, 9); // (m + p - 1)(F + B + W)
  EXPECT_THAT(run.tasks.rank, ElementsAre(0, 0, 0, 0, 1, 1, 1, 1));
  EXPECT_THAT(run.tasks.start, ElementsAre(0, 1, 4, 7, 1, 2, 4, 5));
  EXPECT_THAT(run.tasks.end, ElementsAre(1, 2, 6, 9, 2, 4, 5, 7));
  EXPECT_THAT(run.tasks.micro_batch, ElementsAre(0, 1, 0, 1, 0, 0, 1, 1));
  EXPECT_EQ(word(run.tasks.phases, run.tasks.phase[1]), "forward");
  EXPECT_EQ(word(run.tasks.phases, run.tasks.phase[2]), "backward");
  EXPECT_EQ(word(run.tasks.streams, run.tasks.stream[2]), "compute");
  EXPECT_THAT(run.dependencies.of(0), ElementsAre());
  EXPECT_THAT(run.dependencies.of(2), ElementsAre(0, 1, 5)); // its forward, the pass before, the backward behind it
  EXPECT_THAT(run.dependencies.of(5), ElementsAre(4));
}

TEST(ScheduleRecord, HasTransfersWhereTheyTakeTime) {
  const record::RunRecord run = schedule_record(timed("gpipe", {.stages = 2, .micro_batches = 1, .transfer = 0.5}));
  std::vector<std::string> streams;
  for (const std::uint8_t stream : run.tasks.streams.empty() ? std::vector<std::uint8_t>() : run.tasks.stream)
    streams.push_back(word(run.tasks.streams, stream));
  EXPECT_THAT(streams, ElementsAre("compute", "pp-send-next", "pp-recv-next", "compute", // stage 0
                                   "pp-recv-prev", "compute", "compute", "pp-send-prev"));
  EXPECT_THAT(run.tasks.start, ElementsAre(0, 1, 4.5, 5, 1, 1.5, 2.5, 4.5));
  EXPECT_EQ(run.tasks.task[1], run.tasks.task[4]); // both ends of one transfer
  EXPECT_EQ(run.tasks.task[2], run.tasks.task[7]);
  expect_waits_explain_starts(run);
}

TEST(ScheduleRecord, SaysWhatEveryPassWaitedFor) {
  for (const schedulers::PipelineSchedule& schedule : schedulers::schedules())
    for (const double transfer : {0.0, 0.25}) {
      const schedulers::ScheduleShape shape{
          .stages = 4, .micro_batches = 8, .chunks = schedule.chunks == 0 ? 2 : schedule.chunks, .transfer = transfer};
      const TimedSchedule schedule_run = timed(std::string(schedule.name).c_str(), shape);
      expect_waits_explain_starts(schedule_record(schedule_run));
    }
}

// Activations in flight: stage s of 1F1B holds p - s of them (arXiv 2104.04473), and nothing when it is done.
TEST(ScheduleRecord, CountsActivationsAsMemory) {
  const TimedSchedule schedule = timed("1f1b", {.stages = 4, .micro_batches = 8});
  const record::RunRecord run = schedule_record(schedule);
  EXPECT_THAT(run.memory.categories, ElementsAre("activations"));
  std::vector<double> most(4, 0);
  std::vector<double> last(4, -1);
  for (std::size_t row = 0; row < run.memory.time.size(); ++row) {
    most[run.memory.rank[row]] = std::max(most[run.memory.rank[row]], run.memory.bytes[0][row]);
    last[run.memory.rank[row]] = run.memory.bytes[0][row];
  }
  EXPECT_THAT(most, ElementsAre(4, 3, 2, 1));
  EXPECT_EQ(most, schedule.timeline.peak_activations);
  EXPECT_THAT(last, Each(0));
}

} // namespace
} // namespace moesim::run
