#include "analysis/sweep_svg.hpp"

#include <cmath>
#include <regex>

#include <gmock/gmock.h>

#include "analysis/sweep_page.hpp"
#include "simulator/base/input_error.hpp"
#include "tests/analysis/sweep_table_builder.hpp"

namespace moesim::analysis {
namespace {

using moesim::testing::sweep_of;
using ::testing::HasSubstr;
using ::testing::Not;

const SweepFigure throughput{"tokens_per_s", "throughput", false};

record::SweepTable grid() {
  return sweep_of({"n", "schedule"}, {{{"1", "gpipe"}, 1e6, 1e9},
                                      {{"2", "gpipe"}, 2e6, 2e9},
                                      {{"16", "gpipe"}, 3e6, 3e9},
                                      {{"1", "1f1b"}, 2e6, 1e9},
                                      {{"2", "1f1b"}, 4e6, 1e9},
                                      {{"16", "1f1b"}, 9e6, 1e9, 8, false}});
}

struct Mark {
  double x = 0;
  double y = 0;
};

// Where the mark of a point is in the chart of lines.
Mark mark_of(const std::string& svg, int point) {
  const std::regex mark("<circle cx=\"([0-9.]+)\" cy=\"([0-9.]+)\" r=\"3\" class=\"mark\"[^>]* data-point=\"" +
                        std::to_string(point) + "\"");
  std::smatch match;
  EXPECT_TRUE(std::regex_search(svg, match, mark)) << point;
  return {std::stod(match[1]), std::stod(match[2])};
}

TEST(SweepSvg, MarksStandWhereTheirNumbersAre) {
  const std::string svg = sweep_svg(grid(), throughput, 1200);
  const Mark one = mark_of(svg, 0);
  const Mark two = mark_of(svg, 1);
  const Mark sixteen = mark_of(svg, 2);
  // 1, 2, 16 are 0, 1 and 4 doublings; throughputs are 1, 2 and 3 million.
  EXPECT_NEAR((sixteen.x - one.x) / (two.x - one.x), 4, 0.01);
  EXPECT_NEAR(one.y - two.y, two.y - sixteen.y, 0.02);
  EXPECT_GT(one.y, two.y) << "more is higher";
  EXPECT_NEAR(mark_of(svg, 4).x, two.x, 0.01);
  EXPECT_THAT(svg, Not(HasSubstr("class=\"mark\" fill=\"#D55E00\" data-point=\"5\""))) << "it does not fit";
}

TEST(SweepSvg, SaysWhatIsBestAndDrawsTheFront) {
  const std::string svg = sweep_svg(grid(), throughput, 1200);
  EXPECT_THAT(svg, HasSubstr("a &lt;sweep&gt;"));
  EXPECT_THAT(svg, HasSubstr("5 of 6 points fit and are compared · best throughput: 4 M tokens/s at point 4 · n 2 · "
                             "schedule 1f1b"));
  const std::regex front("class=\"front\"[^>]* data-point=\"([0-9]+)\"");
  std::vector<std::string> points;
  for (std::sregex_iterator at(svg.begin(), svg.end(), front), end; at != end; ++at)
    points.push_back((*at)[1]);
  EXPECT_THAT(points, ::testing::ElementsAre("4"));
}

TEST(SweepSvg, AHeatMapHasACellForEachPairAndIsDarkestAtTheMost) {
  const std::string svg = sweep_svg(grid(), throughput, 1200);
  const std::regex cell("class=\"cell\" fill=\"#([0-9A-F]{2})[0-9A-F]{4}\"[^>]* data-point=\"([0-9]+)\"");
  std::map<int, int> red; // the less, the darker
  for (std::sregex_iterator at(svg.begin(), svg.end(), cell), end; at != end; ++at)
    red[std::stoi((*at)[2])] = std::stoi((*at)[1], nullptr, 16);
  ASSERT_EQ(red.size(), 5U);
  EXPECT_GT(red[0], red[1]);
  EXPECT_EQ(red[1], red[3]);
  EXPECT_GT(red[2], red[4]);
}

TEST(SweepSvg, PointsWithoutTheFigureAreLeftOut) {
  record::SweepTable table = grid();
  table.figures.emplace_back("ttft_s");
  table.values.push_back({std::nan(""), 2, 3, std::nan(""), 1, 9});
  const std::string svg = sweep_svg(table, {"ttft_s", "time to first token", true}, 1200);
  EXPECT_THAT(svg, HasSubstr("best time to first token: 1 s at point 4"));
  EXPECT_THAT(svg, Not(HasSubstr("nan")));
}

TEST(SweepSvg, OneAxisHasNoHeatMapAndNoAxisNoLines) {
  const std::string one = sweep_svg(sweep_of({"n"}, {{{"1"}, 1}, {{"2"}, 2}}), throughput, 400);
  EXPECT_THAT(one, HasSubstr("class=\"mark\""));
  EXPECT_THAT(one, Not(HasSubstr("class=\"cell\"")));
  const std::string none = sweep_svg(sweep_of({}, {{{}, 1}}), throughput, 1200);
  EXPECT_THAT(none, Not(HasSubstr("class=\"mark\"")));
  EXPECT_THAT(none, HasSubstr("class=\"front\""));
}

TEST(SweepSvg, NothingToCompareIsAnError) {
  EXPECT_THROW((void)sweep_svg(sweep_of({"n"}, {{{"1"}, 1, 1, 8, false}}), throughput, 1200), InputError);
}

TEST(SweepPage, HoldsEveryPointAndNoMarkupOfTheUser) {
  record::SweepTable table = grid();
  table.settings[1][0] = "</script><b>";
  const std::string page = sweep_page(table);
  EXPECT_THAT(page, HasSubstr("\"words\":[\"\\u003c/script>\\u003cb>\",\"gpipe\","));
  EXPECT_THAT(page, Not(HasSubstr("</script><b>")));
  EXPECT_THAT(page, HasSubstr("<option value=\"tokens_per_s\">throughput</option>"));
  EXPECT_THAT(page, HasSubstr("<div data-figure=\"peak_memory_bytes\" hidden><svg "));
}

} // namespace
} // namespace moesim::analysis
