#include "schedulers/pipeline_schedule.hpp"

#include <algorithm>
#include <array>

#include <gmock/gmock.h>

#include "tests/schedulers/schedule_properties.hpp"

namespace moesim::schedulers {
namespace {

using moesim::testing::chunks_of;
using moesim::testing::shapes_of;
using moesim::testing::text;
using moesim::testing::Timed;
using moesim::testing::timed;
using ::testing::IsEmpty;

class EverySchedule : public ::testing::TestWithParam<std::string_view> {};

TEST_P(EverySchedule, RunsEachPassOnce) {
  for (const ScheduleShape& shape : shapes_of(find_schedule(GetParam())))
    EXPECT_EQ(moesim::testing::not_once(timed(GetParam(), shape), shape), "") << text(shape);
}

TEST_P(EverySchedule, HasNoCircleOfPasses) {
  const PipelineSchedule& schedule = find_schedule(GetParam());
  for (ScheduleShape shape : shapes_of(schedule))
    for (const bool fuses : {false, true}) {
      shape.fuses_passes = fuses;
      if (fuses && !schedule.can_fuse)
        continue;
      EXPECT_THAT(cycle(schedule.order(shape), chunks_of(schedule, shape), Posting::Eager), IsEmpty()) << text(shape);
    }
}

TEST_P(EverySchedule, TakesNoLessThanItsWork) {
  constexpr std::array<PassCosts, 3> costs{{{1, 1, 1}, {2, 3, 1}, {1, 1, 2}}};
  for (const ScheduleShape& shape : shapes_of(find_schedule(GetParam())))
    for (const PassCosts& cost : costs) {
      ScheduleShape with_cost = moesim::testing::with_costs(shape, cost);
      with_cost.transfer = 0.25;
      const Timed run = timed(GetParam(), with_cost);
      EXPECT_GE(run.timeline.makespan, moesim::testing::lower_bound(run, with_cost) - 1e-9) << text(shape);
    }
}

// F&B: a forward first, and no micro-batch with itself.
TEST_P(EverySchedule, FusesForwardsWithBackwardsOfOtherMicroBatches) {
  const PipelineSchedule& schedule = find_schedule(GetParam());
  for (ScheduleShape shape : shapes_of(schedule)) {
    shape.fuses_passes = schedule.can_fuse;
    for (const std::vector<PipelinePass>& passes : schedule.order(shape))
      for (std::size_t at = 0; at < passes.size(); ++at) {
        if (!passes[at].with_next)
          continue;
        ASSERT_LT(at + 1, passes.size());
        EXPECT_EQ(passes[at].kind, PassKind::Forward);
        EXPECT_EQ(passes[at + 1].kind, PassKind::Backward);
        EXPECT_FALSE(passes[at + 1].with_next);
        EXPECT_NE(std::pair(passes[at].micro_batch, passes[at].chunk),
                  std::pair(passes[at + 1].micro_batch, passes[at + 1].chunk));
      }
  }
}

std::string test_name(const ::testing::TestParamInfo<std::string_view>& schedule) {
  std::string name(schedule.param);
  std::ranges::replace(name, '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Schedules, EverySchedule, ::testing::ValuesIn(schedule_names()), test_name);

TEST(Schedules, AreSortedAndFoundByTheirNames) {
  const std::vector<std::string_view> names = schedule_names();
  EXPECT_TRUE(std::ranges::is_sorted(names));
  for (const std::string_view name : names)
    EXPECT_EQ(find_schedule(name).name, name);
}

TEST(Schedules, RefuseWhatTheyCannotDo) {
  const auto why = [](std::string_view name, const ScheduleShape& shape) {
    return refusal(find_schedule(name), shape);
  };
  EXPECT_EQ(why("1f1b", {.stages = 4, .micro_batches = 8, .chunks = 2}), "1f1b runs 1 chunk a stage, not 2; use 1");
  EXPECT_EQ(why("zb-v", {.stages = 4, .micro_batches = 8}), "zb-v runs 2 chunks a stage, not 1; use 2");
  EXPECT_EQ(why("interleaved-1f1b", {.stages = 4, .micro_batches = 8}),
            "interleaved-1f1b runs at least 2 chunks a stage, not 1; use 2 or more");
  EXPECT_EQ(why("gpipe", {.stages = 4, .micro_batches = 8, .fuses_passes = true}),
            "gpipe runs no forward together with a backward; use 1f1b, interleaved-1f1b or dualpipe");
  EXPECT_EQ(why("dualpipe", {.stages = 4, .micro_batches = 8, .chunks = 2}), "");
}

TEST(Describe, NamesChunksAndPassesThatRunTogether) {
  const PipelineOrder order{{{PassKind::Forward, 0, 0}, {PassKind::Forward, 2, 0, true}, {PassKind::Backward, 0, 1}},
                            {{PassKind::BackwardInput, 3, 1}, {PassKind::BackwardWeight, 3, 1}}};
  EXPECT_EQ(describe(order), "stage 0: F0.0 F2.0&B0.1\n"
                             "stage 1: B3.1 W3.1\n");
}

} // namespace
} // namespace moesim::schedulers
