// Zero Bubble's own calculation (Qi et al., arXiv 2401.10241, table 5): the share of the longest stage that is not
// work, from the times that were profiled for its table 9, in ms.
#include <array>

#include <gtest/gtest.h>

#include "tests/schedulers/schedule_properties.hpp"

namespace moesim::schedulers {
namespace {

struct Row {
  std::int64_t stages = 1;
  std::int64_t micro_batches = 1;
  PassCosts costs{};
  double transfer = 0;
  double one_f_one_b = 0;
  double zb_h1 = 0;
  double zb_h2 = 0;
};

constexpr std::array<Row, 12> table{{
    {8, 24, {18.522, 18.086, 9.337}, 0.601, 0.2431, 0.1585, 0.1083},
    {8, 32, {18.513, 18.086, 9.331}, 0.626, 0.1985, 0.1242, 0.0837},
    {8, 64, {18.546, 18.097, 9.321}, 0.762, 0.1240, 0.0674, 0.0444},
    {8, 24, {29.718, 29.444, 19.927}, 0.527, 0.2347, 0.1323, 0.0698},
    {8, 32, {29.802, 29.428, 19.53}, 0.577, 0.1898, 0.1045, 0.0559},
    {8, 64, {29.935, 29.621, 19.388}, 0.535, 0.1091, 0.0554, 0.0294},
    {16, 48, {11.347, 11.248, 8.132}, 0.377, 0.2552, 0.1397, 0.0672},
    {16, 64, {11.307, 11.254, 8.101}, 0.379, 0.2082, 0.1088, 0.0516},
    {16, 128, {11.325, 11.308, 8.109}, 0.378, 0.1251, 0.0576, 0.0266},
    {32, 96, {10.419, 10.207, 7.715}, 0.408, 0.2646, 0.1421, 0.0641},
    {32, 128, {10.408, 10.204, 7.703}, 0.408, 0.2168, 0.1106, 0.0490},
    {32, 256, {10.402, 10.248, 7.698}, 0.46, 0.1352, 0.0594, 0.0257},
}};

TEST(PublishedBubbles, OfZeroBubbleTable5) {
  for (const Row& row : table) {
    ScheduleShape shape =
        moesim::testing::with_costs({.stages = row.stages, .micro_batches = row.micro_batches}, row.costs);
    shape.transfer = row.transfer;
    const double work = static_cast<double>(row.micro_batches) * (row.costs.forward + row.costs.backward());
    const auto bubble = [&](std::string_view schedule) {
      return 1 - work / moesim::testing::timed(schedule, shape).timeline.stage_span;
    };
    EXPECT_NEAR(bubble("1f1b"), row.one_f_one_b, 5e-5) << moesim::testing::text(shape);
    EXPECT_NEAR(bubble("zb-h1"), row.zb_h1, 5e-5) << moesim::testing::text(shape);
    EXPECT_NEAR(bubble("zb-h2"), row.zb_h2, 5e-5) << moesim::testing::text(shape);
  }
}

} // namespace
} // namespace moesim::schedulers
