#include "analysis/gantt_svg.hpp"

#include "analysis/svg_canvas.hpp"
#include "analysis/svg_style.hpp"
#include "tests/analysis/record_builder.hpp"
#include "tests/record/sample_record.hpp"

#include <algorithm>
#include <regex>

#include <gmock/gmock.h>

namespace moesim::analysis {
namespace {

using moesim::testing::record_of;
using moesim::testing::sample_record;
using ::testing::HasSubstr;
using ::testing::Not;

// Every tag is closed by its own name, in order, every quote by another, and no bare '&' or '<' is left. By hand:
// std::regex takes stack for every character that it matches.
bool is_well_formed(const std::string& xml) {
  static const std::regex bare("&(?!amp;|lt;|gt;|quot;)");
  std::vector<std::string> open;
  for (std::size_t at = 0;;) {
    const std::size_t tag = xml.find('<', at);
    if (std::regex_search(xml.substr(at, tag - at), bare))
      return false;
    if (tag == std::string::npos)
      return open.empty();
    const std::size_t end = xml.find('>', tag);
    if (end == std::string::npos || end == tag + 1)
      return false;
    at = end + 1;
    const std::string body = xml.substr(tag + 1, end - tag - 1);
    if (body.find('<') != std::string::npos || std::ranges::count(body, '"') % 2 != 0)
      return false;
    const std::string name = body.substr(0, body.find_first_of(" \n/", 1));
    if (body.front() == '/') {
      if (open.empty() || "/" + open.back() != body)
        return false;
      open.pop_back();
    } else if (body.front() != '?' && body.back() != '/') {
      open.push_back(name);
    }
  }
}

std::string lane_of(const std::string& svg, std::uint32_t rank) {
  const std::size_t first = svg.find("<g id=\"rank" + std::to_string(rank) + "\">");
  return svg.substr(first, svg.find("</g>", first) - first);
}

// "F0 F1 B0": the labelled blocks of a lane in the order in which they are drawn.
std::string blocks_of(const std::string& lane) {
  static const std::regex block("<rect x=\"([0-9.]+)\"[^>]*fill=\"#[0-9A-F]+\"><title>([a-z])[^<]*</title></rect>\n"
                                "<text [^>]*>[A-Z]?(\\d+)</text>");
  std::string text;
  double before = -1;
  for (auto match = std::sregex_iterator(lane.begin(), lane.end(), block); match != std::sregex_iterator(); ++match) {
    EXPECT_GT(std::stod((*match)[1]), before) << "blocks are drawn from left to right";
    before = std::stod((*match)[1]);
    text += (text.empty() ? "" : " ") + std::string((*match)[2] == "f" ? "F" : "B") + std::string((*match)[3]);
  }
  return text;
}

// The rectangle whose attributes and tooltip hold `text`.
Box box_with(const std::string& svg, const std::string& text) {
  static const std::regex rectangle("<rect x=\"([0-9.]+)\" y=\"([0-9.]+)\" width=\"([0-9.]+)\" height=\"([0-9.]+)\"");
  const std::size_t found = svg.find(text);
  const std::size_t first = found == std::string::npos ? found : svg.rfind("<rect", found);
  std::smatch match;
  const std::string tag = first == std::string::npos ? "" : svg.substr(first, 100);
  if (!std::regex_search(tag, match, rectangle)) {
    ADD_FAILURE() << "no rectangle with " << text;
    return {};
  }
  return {std::stod(match[1]), std::stod(match[2]), std::stod(match[3]), std::stod(match[4])};
}

// The widest text at its font size, from where it starts to where it ends, as the style sheet and the anchors say.
void expect_texts_inside(const std::string& svg, double width) {
  static const std::regex text("<text x=\"([0-9.]+)\" y=\"[0-9.]+\" (?:class=\"([a-z ]*)\")?>([^<]*)</text>");
  for (auto match = std::sregex_iterator(svg.begin(), svg.end(), text); match != std::sregex_iterator(); ++match) {
    const std::string anchor = (*match)[2];
    const double length = text_width((*match)[3].str(), anchor.find("title") == std::string::npos ? 12 : 15);
    const double share = anchor.find("end") != std::string::npos      ? 1
                         : anchor.find("middle") != std::string::npos ? 0.5
                                                                      : 0;
    const double x = std::stod((*match)[1]) - share * length;
    EXPECT_GE(x, 0) << (*match)[3];
    EXPECT_LE(x + length, width) << (*match)[3];
  }
}

TEST(GanttSvg, IsWellFormedWithAnyScenarioName) {
  const std::string svg = gantt_svg(sample_record());
  EXPECT_TRUE(is_well_formed(svg));
  EXPECT_THAT(svg, HasSubstr(">sample &lt;1f1b&gt; &amp; friends</text>"));
  record::RunRecord run = sample_record();
  run.figures.name = "a\x01\"b'";
  EXPECT_TRUE(is_well_formed(gantt_svg(run)));
  EXPECT_THAT(gantt_svg(run), Not(HasSubstr("\x01")));
}

TEST(GanttSvg, Shows1F1BAtAGlance) {
  const std::string svg = gantt_svg(sample_record());
  EXPECT_EQ(blocks_of(lane_of(svg, 0)), "F0 F1 F2 F3 B0 F4 B1 F5 B2 F6 B3 F7 B4 B5 B6 B7");
  EXPECT_EQ(blocks_of(lane_of(svg, 6)), "F0 B0 F1 B1 F2 B2 F3 B3 F4 B4 F5 B5 F6 B6 F7 B7");
}

TEST(GanttSvg, PutsBlocksWhereTheirTimesAre) {
  const std::string svg =
      gantt_svg(record_of({0}, {{0, "compute", "forward", 0, 1, 0}, {0, "compute", "backward", 2, 4, 0}}));
  const Box lane = box_with(svg, "class=\"frame\"");
  const Box forward = box_with(svg, "forward of micro-batch 0: 0 s to 1 s");
  const Box backward = box_with(svg, "backward of micro-batch 0: 2 s to 4 s");
  EXPECT_NEAR(forward.x, lane.x, 0.01);
  EXPECT_NEAR(forward.width, lane.width / 4, 0.01);
  EXPECT_NEAR(backward.x, lane.x + lane.width / 2, 0.01);
  EXPECT_NEAR(backward.width, lane.width / 2, 0.01);
}

TEST(GanttSvg, HatchesIdleTimeAndColoursExposedCommunication) {
  const std::string svg = gantt_svg(
      record_of({0}, {{0, "compute", "forward", 0, 1}, {0, "ep", "forward", 1, 2}, {0, "compute", "forward", 3, 4}}));
  const auto subpaths = [&](const std::string& fill) {
    const std::size_t first = svg.find("fill=\"" + fill + "\" d=\"");
    return first == std::string::npos
               ? 0
               : std::count(svg.begin() + static_cast<std::ptrdiff_t>(first),
                            svg.begin() + static_cast<std::ptrdiff_t>(svg.find("/>", first)), 'M');
  };
  EXPECT_EQ(subpaths("#E69F00"), 1); // ep
  EXPECT_EQ(subpaths("#B4B4B4"), 2); // compute
  EXPECT_EQ(subpaths("url(#idle)"), 1);
  EXPECT_THAT(svg, Not(HasSubstr("#CC79A7"))) << "the legend lists only what occurs";
}

TEST(GanttSvg, TellsTheBackwardOfWeightsFromTheOther) {
  const std::string svg = gantt_svg(record_of({0}, {{0, "compute", "forward", 0, 1, 7},
                                                    {0, "compute", "backward", 1, 2, 7},
                                                    {0, "compute", "backward-weight", 2, 3, 7}}));
  EXPECT_THAT(svg, HasSubstr("class=\"number dark\">W7</text>"));
  EXPECT_THAT(svg, HasSubstr(">backward-weight</text>")); // in the legend
  EXPECT_EQ(gantt_svg(sample_record()).find("backward-weight"), std::string::npos);
}

TEST(GanttSvg, SplitsABlockBetweenPassesThatRunTogether) {
  const std::string svg = gantt_svg(record_of({0}, {{0, "compute", "forward", 0, 1, 5},
                                                    {0, "compute", "backward", 1, 3, 2},
                                                    {0, "compute", "forward", 3, 4, 5},
                                                    {0, "compute", "backward", 4, 6, 2}}));
  const Box lane = box_with(svg, "class=\"frame\"");
  const Box forward = box_with(svg, "forward of micro-batch 5: 0 s to 4 s");
  const Box backward = box_with(svg, "backward of micro-batch 2: 1 s to 6 s");
  EXPECT_NEAR(forward.y, lane.y, 0.01);
  EXPECT_NEAR(forward.height, lane.height / 2, 0.01);
  EXPECT_NEAR(forward.width, lane.width * 4 / 6, 0.01);
  EXPECT_NEAR(backward.y, lane.y + lane.height / 2, 0.01);
  EXPECT_NEAR(backward.width, lane.width * 5 / 6, 0.01);
  EXPECT_THAT(svg, HasSubstr(">F5</text>"));
  EXPECT_THAT(svg, HasSubstr(">B2</text>"));
  EXPECT_THAT(svg, HasSubstr(">forward and backward together</text>"));
}

TEST(GanttSvg, ShowsTheTimeThatIsAskedFor) {
  const record::RunRecord run = record_of(
      {0},
      {{0, "compute", "forward", 0, 2, 0}, {0, "compute", "forward", 2, 6, 1}, {0, "compute", "backward", 6, 9, 1}});
  const std::string svg = gantt_svg(run, {.from = 4, .to = 8});
  const Box lane = box_with(svg, "class=\"frame\"");
  EXPECT_THAT(svg, Not(HasSubstr("micro-batch 0")));
  EXPECT_NEAR(box_with(svg, "forward of micro-batch 1: 2 s to 6 s").x, lane.x, 0.01); // its times are the true ones
  EXPECT_NEAR(box_with(svg, "forward of micro-batch 1").width, lane.width / 2, 0.01);
  EXPECT_NEAR(box_with(svg, "backward of micro-batch 1").width, lane.width / 2, 0.01);
  EXPECT_THAT(svg, HasSubstr("shown: 4 s to 8 s</text>"));
  EXPECT_THAT(svg, HasSubstr(">4</text>")); // the first tick
  EXPECT_THAT(svg, Not(HasSubstr(">0</text>")));
  EXPECT_THAT(gantt_svg(run, {.from = 20}), HasSubstr("</svg>")); // behind the end: nothing
}

TEST(GanttSvg, FitsAColumnOfAPaper) {
  record::RunRecord run = sample_record();
  run.figures.name = "a mixture of experts with a name that is longer than what a line of a column can hold";
  for (const double width : {300.0, 400.0, 600.0}) {
    const std::string svg = gantt_svg(run, {.width = width});
    EXPECT_THAT(svg, HasSubstr("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + svg_number(width) + "\""));
    EXPECT_THAT(svg, HasSubstr("font-size:13px"));
    expect_texts_inside(svg, width);
    EXPECT_THAT(svg, HasSubstr("time (ms)"));
  }
  EXPECT_THAT(gantt_svg(run, {.width = 1200}), HasSubstr("font-size:11px"));
}

TEST(GanttSvg, HasUnitsOfItsOwnForASchedule) {
  const record::RunRecord run = record_of({0}, {{0, "compute", "forward", 0, 1, 0},
                                                {0, "pp-recv-next", "backward", 1, 2, 0},
                                                {0, "compute", "backward", 2, 4, 0}});
  const std::string svg = gantt_svg(run, {.unit = TimeUnit::Arbitrary});
  EXPECT_THAT(svg, HasSubstr(">makespan 4 · bubble 25.0 %</text>")); // a transfer is a wait like any other
  EXPECT_THAT(svg, HasSubstr(">time (units)</text>"));
  EXPECT_THAT(svg, HasSubstr("backward of micro-batch 0: 2 to 4<"));
}

TEST(GanttSvg, ShowsRequestedRanksByTheirCoordinates) {
  const std::string svg = gantt_svg(sample_record(), {.ranks = {3}, .width = 1200});
  EXPECT_THAT(svg, HasSubstr(">rank 3</text>"));
  EXPECT_THAT(svg, HasSubstr(">pp1 tp1 ep1 dp0</text>"));
  EXPECT_THAT(svg, Not(HasSubstr("id=\"rank0\"")));
}

TEST(GanttSvg, StaysSmallHoweverManyTasksThereAre) {
  const record::RunRecord run = sample_record({.stages = 2, .micro_batches = 3000, .layers_per_stage = 4});
  const std::string svg = gantt_svg(run);
  const auto count = [&](const std::string& lane, const std::string& what) {
    std::size_t found = 0;
    for (std::size_t at = lane.find(what); at != std::string::npos; at = lane.find(what, at + 1))
      ++found;
    return found;
  };
  EXPECT_LE(count(lane_of(svg, 0), "<rect"), 1060U); // pixels of a lane, and its frames
  EXPECT_LE(count(lane_of(svg, 0), "M"), 1060U);
  EXPECT_TRUE(is_well_formed(svg));
}

TEST(GanttSvg, SameRecordSameBytes) {
  EXPECT_EQ(gantt_svg(sample_record()), gantt_svg(sample_record()));
}

TEST(GanttSvg, AnEmptyRunIsAPictureToo) {
  EXPECT_TRUE(is_well_formed(gantt_svg({})));
}

} // namespace
} // namespace moesim::analysis
