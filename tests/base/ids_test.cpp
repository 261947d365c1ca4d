#include "simulator/base/ids.hpp"

#include <type_traits>

#include <gtest/gtest.h>

namespace moesim {
namespace {

static_assert(!std::is_convertible_v<RankId, TaskId>, "a rank is not a task");
static_assert(!std::is_convertible_v<std::uint32_t, RankId>, "a bare number is not a rank");
static_assert(sizeof(RankId) == sizeof(std::uint32_t), "an id costs no more than its number");

TEST(Ids, OrderFollowsTheValue) {
  EXPECT_LT(RankId(1), RankId(2));
  EXPECT_EQ(RankId(7), RankId(7));
  EXPECT_EQ(RankId(7).value(), 7u);
  EXPECT_EQ(RankId().value(), 0u);
}

} // namespace
} // namespace moesim
