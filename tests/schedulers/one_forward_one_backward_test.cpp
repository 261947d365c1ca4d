#include "schedulers/one_forward_one_backward.hpp"

#include <algorithm>
#include <map>

#include <gmock/gmock.h>

namespace moesim::schedulers {
namespace {

TEST(OneForwardOneBackward, AlternatesAfterTheWarmUp) {
  EXPECT_EQ(describe(one_forward_one_backward({.stages = 3, .micro_batches = 4})),
            "stage 0: F0 F1 F2 B0 F3 B1 B2 B3\n"
            "stage 1: F0 F1 B0 F2 B1 F3 B2 B3\n"
            "stage 2: F0 B0 F1 B1 F2 B2 F3 B3\n");
}

TEST(OneForwardOneBackward, HandlesFewerMicroBatchesThanStages) {
  EXPECT_EQ(describe(one_forward_one_backward({.stages = 4, .micro_batches = 2})), "stage 0: F0 F1 B0 B1\n"
                                                                                   "stage 1: F0 F1 B0 B1\n"
                                                                                   "stage 2: F0 F1 B0 B1\n"
                                                                                   "stage 3: F0 B0 F1 B1\n");
}

// Over a grid: each pass once, backwards after their forwards, and no more activations in flight than published.
TEST(OneForwardOneBackward, KeepsItsBoundsOverAGrid) {
  for (std::int64_t stages = 1; stages <= 16; ++stages) {
    for (std::int64_t micro_batches = 1; micro_batches <= 64; micro_batches += 7) {
      const PipelineOrder order = one_forward_one_backward({.stages = stages, .micro_batches = micro_batches});
      ASSERT_EQ(order.size(), static_cast<std::size_t>(stages));
      for (std::int64_t stage = 0; stage < stages; ++stage) {
        std::map<std::pair<PassKind, std::int32_t>, int> seen;
        std::int64_t in_flight = 0;
        std::int64_t most = 0;
        for (const PipelinePass& pass : order[static_cast<std::size_t>(stage)]) {
          ++seen[{pass.kind, pass.micro_batch}];
          in_flight += pass.kind == PassKind::Forward ? 1 : -1;
          most = std::max(most, in_flight);
          if (pass.kind == PassKind::Backward) {
            EXPECT_EQ(seen.count({PassKind::Forward, pass.micro_batch}), 1u);
          }
        }
        EXPECT_EQ(seen.size(), static_cast<std::size_t>(2 * micro_batches));
        EXPECT_EQ(most, std::min(micro_batches, stages - stage));
      }
    }
  }
}

TEST(Schedules, AreFoundByTheirNames) {
  for (const std::string_view name : schedule_names())
    EXPECT_EQ(find_schedule(name).name, name);
}

} // namespace
} // namespace moesim::schedulers
