#include "schedulers/eplb.hpp"

#include <random>
#include <set>

#include <gmock/gmock.h>

namespace moesim::schedulers {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// The example of EPLB's README: 12 experts in 4 groups and 4 redundant ones, on 2 nodes of 4 GPUs.
constexpr PlacementShape published{.experts = 12, .redundant = 4, .ranks = 8, .nodes = 2, .groups = 4};

TEST(Eplb, GivesThePublishedPlacement) {
  const std::vector<double> first{90, 132, 40, 61, 104, 165, 39, 4, 73, 56, 183, 86};
  const std::vector<double> second{20, 107, 104, 64, 19, 197, 187, 157, 172, 86, 16, 27};
  ASSERT_EQ(eplb_policy(published), EplbPolicy::Hierarchical);
  EXPECT_THAT(eplb_placement(published, first, EplbPolicy::Hierarchical).expert_of_slot,
              ElementsAre(5, 6, 5, 7, 8, 4, 3, 4, 10, 9, 10, 2, 0, 1, 11, 1));
  EXPECT_THAT(eplb_placement(published, second, EplbPolicy::Hierarchical).expert_of_slot,
              ElementsAre(7, 10, 6, 8, 6, 11, 8, 9, 2, 4, 5, 1, 5, 0, 3, 1));
}

TEST(Eplb, IsGlobalWhereNodesDoNotDivideGroups) {
  EXPECT_EQ(eplb_policy({.experts = 12, .ranks = 6, .nodes = 3, .groups = 4}), EplbPolicy::Global);
  EXPECT_EQ(eplb_policy({.experts = 12, .ranks = 4, .nodes = 1, .groups = 1}), EplbPolicy::Hierarchical);
}

// The groups whose experts a node has.
std::set<std::int64_t> groups_of_node(const ExpertPlacement& placement, const PlacementShape& shape,
                                      std::int64_t node) {
  std::set<std::int64_t> groups;
  const std::int64_t ranks_per_node = shape.ranks / shape.nodes;
  for (std::int64_t rank = node * ranks_per_node; rank < (node + 1) * ranks_per_node; ++rank)
    for (const std::int64_t expert : placement.experts_of(rank))
      groups.insert(expert / (shape.experts / shape.groups));
  return groups;
}

// Shapes that fit, at random.
PlacementShape random_shape(std::mt19937_64& random) {
  const auto below = [&](std::uint64_t n) { return static_cast<std::int64_t>(random() % n); };
  for (;;) {
    const std::int64_t nodes = std::int64_t{1} << below(3);
    const std::int64_t groups = nodes * (1 + below(3));
    const PlacementShape shape{.experts = groups * (1 + below(6)),
                               .redundant = below(40),
                               .ranks = nodes * (1 + below(4)),
                               .nodes = nodes,
                               .groups = groups};
    if (refusal(shape).empty())
      return shape;
  }
}

// Skewed, some of them 0.
std::vector<double> random_loads(std::mt19937_64& random, std::int64_t experts) {
  std::vector<double> loads;
  for (std::int64_t expert = 0; expert < experts; ++expert)
    loads.push_back(random() % 5 == 0 ? 0.0 : 1000.0 / static_cast<double>(1 + random() % 50));
  return loads;
}

TEST(Eplb, KeepsItsConstraints) {
  std::mt19937_64 random(8);
  for (int trial = 0; trial < 500; ++trial) {
    const PlacementShape shape = random_shape(random);
    const std::vector<double> loads = random_loads(random, shape.experts);
    for (const EplbPolicy policy : {EplbPolicy::Global, EplbPolicy::Hierarchical}) {
      const ExpertPlacement placement = eplb_placement(shape, loads, policy);
      ASSERT_THAT(problems(placement), IsEmpty());
      ASSERT_EQ(placement.slots(), shape.experts + shape.redundant);
      for (std::int64_t node = 0; node < shape.nodes && policy == EplbPolicy::Hierarchical; ++node)
        ASSERT_EQ(std::ssize(groups_of_node(placement, shape, node)), shape.groups / shape.nodes);
    }
  }
}

// Each replica goes to what is heaviest then: 100, 50, 33, 25 tokens a replica.
TEST(Eplb, ReplicatesWhatIsHeaviest) {
  const std::vector<double> loads{100, 10, 10, 10};
  const PlacementShape shape{.experts = 4, .redundant = 4, .ranks = 4};
  EXPECT_THAT(eplb_placement(shape, loads, EplbPolicy::Global).replicas(), ElementsAre(5, 1, 1, 1));
  EXPECT_DOUBLE_EQ(max_rank_load(eplb_placement(shape, loads, EplbPolicy::Global), loads), 40);
}

TEST(Eplb, PacksAsWellAsGreedyDoes) {
  // 2 ranks of 2: 8 with 1, 7 with 2.
  const std::vector<double> loads{1, 8, 7, 2};
  const ExpertPlacement placement = eplb_placement({.experts = 4, .ranks = 2}, loads, EplbPolicy::Global);
  EXPECT_DOUBLE_EQ(max_rank_load(placement, loads), 9);
}

} // namespace
} // namespace moesim::schedulers
