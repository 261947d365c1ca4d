#include "analysis/expert_svg.hpp"

#include <gmock/gmock.h>

#include "analysis/load_colours.hpp"
#include "tests/analysis/record_builder.hpp"

namespace moesim::analysis {
namespace {

using moesim::testing::record_of;
using ::testing::HasSubstr;
using ::testing::Not;

record::RunRecord skewed() {
  record::RunRecord run = record_of({0, 0}, {{.rank = 0, .start = 0, .end = 3, .name = "experts"},
                                             {.rank = 1, .start = 0, .end = 1, .name = "experts"}});
  run.ranks.ep = {0, 1};
  run.tasks.flops = {3, 1};
  run.experts.layers = {7};
  run.experts.experts = 4;
  run.experts.tokens = {0, 80, 0, 0};
  run.figures.name = "a <name>";
  return run;
}

TEST(LoadColours, GoFromNothingOverTheMeanToTheMost) {
  const LoadColours colours(16);
  const std::size_t middle = LoadColours::count / 2;
  EXPECT_EQ(colours.colour_of(0), 0);
  EXPECT_EQ(colours.colour_of(1), middle);
  EXPECT_EQ(colours.colour_of(16), LoadColours::count - 1);
  EXPECT_EQ(colours.colour_of(4), middle + middle / 2); // half of the doublings
  EXPECT_EQ(colours.colour_of(0.5), middle / 2);
  EXPECT_EQ(LoadColours(1).colour_of(1), middle);
  EXPECT_EQ(LoadColours::text_of(0), "#2C7BB6");
  EXPECT_EQ(LoadColours::text_of(middle), "#FFFFBF");
  EXPECT_EQ(LoadColours::text_of(LoadColours::count - 1), "#D7191C");
}

TEST(CellPainter, JoinsNeighboursOfOneColour) {
  CellPainter cells;
  cells.add(0, 0, 2, 5, 3);
  cells.add(2, 0, 2, 5, 3);
  cells.add(4, 0, 2, 5, 4);
  cells.add(0, 5, 2, 5, 3);
  SvgCanvas canvas;
  cells.draw(canvas);
  EXPECT_THAT(canvas.body(), HasSubstr("d=\"M0 0h4v5h-4zM0 5h2v5h-2z\""));
  EXPECT_THAT(canvas.body(), HasSubstr("d=\"M4 0h2v5h-2z\""));
}

TEST(ExpertSvg, SaysWhatIsBusiest) {
  const std::string svg = expert_svg(skewed(), 1200);
  EXPECT_THAT(svg, HasSubstr("a &lt;name&gt;"));
  EXPECT_THAT(svg, HasSubstr("The busiest is expert 1 of layer 7, with 4.00 x the mean of its layer."));
  EXPECT_THAT(svg,
              HasSubstr("busiest rank computes 1.50 x its mean one, on average; at most 1.50 x: rank 0 in layer 0 of "
                        "micro-batch 0, forward."));
}

TEST(ExpertSvg, DrawsCellsWhereTheirExpertsAre) {
  // A row of four cells of (1200 - 20 - 62) / 4 pixels: blue, red, and blue again, joined.
  const std::string svg = expert_svg(skewed(), 1200);
  EXPECT_THAT(svg, HasSubstr("fill=\"#2C7BB6\" shape-rendering=\"crispEdges\" "
                             "d=\"M72 82h279.5v14h-279.5zM631 82h559v14h-559z\""));
  EXPECT_THAT(svg, HasSubstr("fill=\"#D7191C\" shape-rendering=\"crispEdges\" d=\"M351.5 82h279.5v14h-279.5z\""));
}

TEST(ExpertSvg, DrawsLanesWhileExpertsWork) {
  // Rank 1 works for a third of the time, with half of the mean.
  EXPECT_THAT(expert_svg(skewed(), 1200), HasSubstr("fill=\"#ABD9E9\" shape-rendering=\"crispEdges\" "
                                                    "d=\"M72 177h374v14h-374z\""));
}

TEST(ExpertSvg, LeavesOutLanesWithoutExperts) {
  record::RunRecord run = skewed();
  run.tasks.flops = {0, 0};
  EXPECT_THAT(expert_svg(run, 1200), Not(HasSubstr("ranks that share experts")));
}

TEST(ExpertSvg, FitsAColumn) {
  EXPECT_THAT(expert_svg(skewed(), 320), HasSubstr("width=\"320\""));
}

} // namespace
} // namespace moesim::analysis
