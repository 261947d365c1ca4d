#include "analysis/sweep_axes.hpp"

#include <algorithm>
#include <cmath>
#include <random>

#include <gmock/gmock.h>

#include "tests/analysis/sweep_table_builder.hpp"

namespace moesim::analysis {
namespace {

using moesim::testing::sweep_of;
using moesim::testing::SweepRow;
using ::testing::ElementsAre;

const SweepFigure throughput{"tokens_per_s", "throughput", false};

TEST(SweepAxes, AreWhatVariesNumbersInOrder) {
  const auto axes = sweep_axes(sweep_of({"n", "constant", "word", "twin"},
                                        {{{"16", "1", "b", "2"}}, {{"2", "1", "a", "1"}}, {{"128", "1", "b", "3"}}}));
  ASSERT_EQ(axes.size(), 2U);
  EXPECT_EQ(axes[0].name, "n, twin") << "what always varies together is one axis";
  EXPECT_THAT(axes[0].levels, ElementsAre("2", "16", "128"));
  EXPECT_THAT(axes[0].numbers, ElementsAre(2, 16, 128));
  EXPECT_THAT(axes[0].level, ElementsAre(1, 0, 2));
  EXPECT_EQ(axes[1].name, "word");
  EXPECT_THAT(axes[1].levels, ElementsAre("b", "a"));
  EXPECT_TRUE(axes[1].numbers.empty());
}

TEST(SweepAxes, LabelsLeaveSectionsOutWhereNothingIsAlike) {
  const auto axes = sweep_axes(
      sweep_of({"training.n", "a.size", "b.size", "platform.nodes", "parallel.dp"}, {{{"1", "1", "1", "1", "8"}},
                                                                                     {{"2", "1", "1", "1", "8"}},
                                                                                     {{"2", "2", "1", "1", "8"}},
                                                                                     {{"2", "2", "2", "1", "8"}},
                                                                                     {{"2", "2", "2", "2", "16"}}}));
  std::vector<std::string> labels;
  for (const SweepAxis& axis : axes)
    labels.push_back(axis.label);
  EXPECT_THAT(labels, ElementsAre("n", "a.size", "b.size", "nodes, dp"));
}

TEST(SweepAxes, LeaveOutWhatCannotBeCompared) {
  const auto table = sweep_of({"n"}, {{{"1"}, 5}, {{"2"}, 6}, {{"3"}, 9, 1, 8, false}});
  EXPECT_THAT(comparable_points(table), ElementsAre(0, 1));
  EXPECT_THAT(sweep_axes(table).front().levels, ElementsAre("1", "2"));
  EXPECT_EQ(best_of(table, throughput, comparable_points(table)), 1U);
}

// Of a dense model there is no load of experts, of one output token no time per token.
TEST(SweepAxes, FiguresThatNoPointHasAreLeftOut) {
  auto table = sweep_of({"n"}, {{{"1"}, 5}, {{"2"}, 6}, {{"3"}, 9, 1, 8, false}});
  table.figures.insert(table.figures.end(), {"tpot_s", "mfu"});
  table.values.push_back({std::nan(""), std::nan(""), 1});
  table.values.push_back({std::nan(""), 0.3, 0.4});
  std::vector<std::string> names;
  for (const SweepFigure& figure : sweep_figures(table))
    names.push_back(figure.name);
  EXPECT_THAT(names, ElementsAre("tokens_per_s", "mfu", "peak_memory_bytes"));
  EXPECT_EQ(best_of(table, {"mfu", "", false}, comparable_points(table)), 1U);
}

TEST(SweepAxes, SensitivityIsWhatAnAxisChangesAlone) {
  // a doubles, b adds a tenth where a is 2; groups of a: 1->2, 1->2.2; of b: 1->1, 2->2.2.
  const auto table = sweep_of({"a", "b"}, {{{"1", "x"}, 1}, {{"1", "y"}, 1}, {{"2", "x"}, 2}, {{"2", "y"}, 2.2}});
  const auto found = sensitivities(table, throughput);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].axis, "a");
  EXPECT_DOUBLE_EQ(found[0].typical_ratio, std::sqrt(2 * 2.2));
  EXPECT_DOUBLE_EQ(found[0].largest_ratio, 2.2);
  EXPECT_EQ(found[1].axis, "b");
  EXPECT_DOUBLE_EQ(found[1].typical_ratio, std::sqrt(1.1));
  EXPECT_DOUBLE_EQ(found[1].largest_ratio, 1.1);
}

// The definition, word by word, on random points with many ties.
TEST(SweepAxes, TheFrontHasWhatNobodyBeats) {
  std::mt19937 random(11);
  for (int round = 0; round < 50; ++round) {
    std::vector<SweepRow> rows;
    for (int i = 0; i < 40; ++i)
      rows.push_back({{std::to_string(i)},
                      static_cast<double>(random() % 12),
                      1.0 + static_cast<double>(random() % 12),
                      8.0 * static_cast<double>(1 + random() % 3),
                      random() % 5 != 0});
    std::vector<std::size_t> expected;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const auto beats = [&](std::size_t j) {
        const auto key = [&](std::size_t at) {
          return std::tuple(rows[at].tokens_per_s, rows[at].peak_memory_bytes, rows[at].gpus);
        };
        return rows[j].fits && rows[j].tokens_per_s >= rows[i].tokens_per_s &&
               rows[j].peak_memory_bytes <= rows[i].peak_memory_bytes && rows[j].gpus <= rows[i].gpus &&
               (key(j) != key(i) || j < i);
      };
      bool is_beaten = !rows[i].fits;
      for (std::size_t j = 0; j < rows.size(); ++j)
        is_beaten = is_beaten || beats(j);
      if (!is_beaten)
        expected.push_back(i);
    }
    EXPECT_THAT(pareto_front(sweep_of({"n"}, rows)), ::testing::UnorderedElementsAreArray(expected)) << round;
  }
}

} // namespace
} // namespace moesim::analysis
