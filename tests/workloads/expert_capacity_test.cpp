#include "workloads/expert_capacity.hpp"

#include <gmock/gmock.h>

namespace moesim::workloads {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;

const MoeSpec four_experts{.num_experts = 4, .experts_per_token = 2};

TEST(ExpertCapacity, IsRoundedUp) {
  EXPECT_EQ(expert_capacity({.factor = 1}, four_experts, 10), 5);
  EXPECT_EQ(expert_capacity({.factor = 1}, four_experts, 11), 6);
  EXPECT_EQ(expert_capacity({.factor = 1.25}, four_experts, 10), 7); // of 6.25
  EXPECT_EQ(expert_capacity({.factor = 1, .overflow_buffer = 0.5}, four_experts, 10), 8);
}

TEST(ExpertCapacity, DropsWhatIsAbove) {
  const ExpertInput input = expert_input({10, 6, 4, 0}, {.factor = 1}, four_experts, 10);
  EXPECT_THAT(input.computed, ElementsAre(5, 5, 4, 0));
  EXPECT_THAT(input.dropped, ElementsAre(5, 1, 0, 0));
  EXPECT_EQ(input.rows, input.computed);
}

TEST(ExpertCapacity, DropsNothingWithoutAFactor) {
  const ExpertInput input = expert_input({10, 6, 4, 0}, {}, four_experts, 10);
  EXPECT_THAT(input.computed, ElementsAre(10, 6, 4, 0));
  EXPECT_THAT(input.dropped, Each(0));
}

TEST(ExpertCapacity, PadsToCapacityAndNoFurtherThanTheTokens) {
  EXPECT_THAT(expert_input({9, 7, 4, 0}, {.factor = 1, .pad_to_capacity = true}, four_experts, 10).rows, Each(5));
  EXPECT_THAT(expert_input({9, 7, 4, 0}, {.factor = 8, .pad_to_capacity = true}, four_experts, 10).rows, Each(10));
}

TEST(ExpertCapacity, PadsToTilesAndNoFurtherThanTheTokens) {
  const ExpertInput input = expert_input({100, 17, 83, 0}, {.tokens_multiple = 16}, four_experts, 100);
  EXPECT_THAT(input.rows, ElementsAre(100, 32, 96, 0));
  EXPECT_THAT(input.computed, ElementsAre(100, 17, 83, 0));
  EXPECT_EQ(padded_rows(0, 128), 0);
  EXPECT_EQ(padded_rows(129, 128), 256);
}

TEST(ExpertCapacity, HoldsWithoutTokens) {
  const ExpertInput input = expert_input({0, 0, 0, 0}, {.factor = 1, .pad_to_capacity = true}, four_experts, 0);
  EXPECT_THAT(input.rows, Each(0));
}

} // namespace
} // namespace moesim::workloads
