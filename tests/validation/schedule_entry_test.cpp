// Schedules of papers, against their closed forms.
#include <gtest/gtest.h>

#include "simulator/validation/schedule_entry.hpp"
#include "tests/validation/entry_text.hpp"

namespace moesim::validation {
namespace {

const Vocabulary vocabulary = read_vocabulary();

Question question(const std::string& schedule, const std::string& more = "") {
  return schedule_question(
      entry_of("A100", "  config: {schedule: " + schedule +
                           ", pipeline_model_parallel_size: 4, num_microbatches: 12, "
                           "micro_batch_size: 2" +
                           more +
                           "}\n  measured: {bubble_rate_calculated: 0.2, samples_per_gpu_per_s: 1, "
                           "profiled_T_F_ms: 10, profiled_T_B_ms: 9, profiled_T_W_ms: 8, "
                           "profiled_T_comm_ms: 0}\n"),
      vocabulary);
}

// A bubble of (p - 1) (F + B + W) beside m (F + B + W) of work.
TEST(ScheduleEntry, OneForwardOneBackwardHasItsBubble) {
  const Question of = question("1F1B");
  EXPECT_EQ(of.measurements.at(0).value, 0.8);
  const Answer answer = of.answer();
  EXPECT_NEAR(answer.predictions.at(0).value, 12.0 / 15, 1e-12);
  EXPECT_NEAR(answer.predictions.at(1).value, 12 * 2 / 4.0 / (15 * 0.027), 1e-9); // samples a second and GPU
}

// (p - 1) (F + B - W) where the weights' backward fills the rest.
TEST(ScheduleEntry, ZeroBubbleHasLess) {
  EXPECT_NEAR(question("ZB-H1").answer().predictions.at(0).value, 12 * 27 / (12 * 27 + 3 * 11.0), 1e-12);
}

// A layer for each chunk, of which two are missing at the ends: (p - 1) (F + B + W) / v.
TEST(ScheduleEntry, InterleavedStagesHaveALayerPerChunk) {
  EXPECT_NEAR(question("1F1B-I", ", num_layers: 10").answer().predictions.at(0).value, 12 / (12 + 3 / 3.0), 1e-12);
}

TEST(ScheduleEntry, SaysWhatIsMissing) {
  const auto reason = [](const std::string& schedule) -> std::string {
    try {
      static_cast<void>(question(schedule));
    } catch (const Unpredictable& why) {
      return why.what();
    }
    return "";
  };
  EXPECT_EQ(reason("V-Min"), "no rule knows the schedule 'V-Min'");
  EXPECT_EQ(reason("1F1B-I"), "num_layers is not given");
}

} // namespace
} // namespace moesim::validation
