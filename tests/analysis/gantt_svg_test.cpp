#include "analysis/gantt_svg.hpp"

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

// "F0 F1 B0": the numbered blocks of a lane in the order in which they are drawn.
std::string blocks_of(const std::string& lane) {
  static const std::regex block("<rect x=\"([0-9.]+)\"[^>]*fill=\"#(0072B2|009E73)\"><title>[^<]*</title></rect>\n"
                                "<text [^>]*>(\\d+)</text>");
  std::string text;
  double before = -1;
  for (auto match = std::sregex_iterator(lane.begin(), lane.end(), block); match != std::sregex_iterator(); ++match) {
    EXPECT_GT(std::stod((*match)[1]), before) << "blocks are drawn from left to right";
    before = std::stod((*match)[1]);
    text += (text.empty() ? "" : " ") + std::string((*match)[2] == "0072B2" ? "F" : "B") + std::string((*match)[3]);
  }
  return text;
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
      gantt_svg(record_of({0}, {{0, "compute", "forward", 0, 1, 0}, {0, "compute", "backward", 2, 4, 0}}),
                {.ranks = {}, .width = 546}); // 400 pixels for 4 s, from 84 on
  EXPECT_THAT(svg, HasSubstr("<rect x=\"84\" y=\"64\" width=\"100\" height=\"30\" class=\"block\" fill=\"#0072B2\""));
  EXPECT_THAT(svg, HasSubstr("<rect x=\"284\" y=\"64\" width=\"200\" height=\"30\" class=\"block\" fill=\"#009E73\""));
}

TEST(GanttSvg, LeavesIdleTimeBlankAndColoursExposedCommunication) {
  const std::string svg = gantt_svg(
      record_of({0}, {{0, "compute", "forward", 0, 1}, {0, "ep", "forward", 1, 2}, {0, "compute", "forward", 3, 4}}),
      {.ranks = {}, .width = 546});
  EXPECT_THAT(svg, HasSubstr("<path fill=\"#E69F00\" d=\"M184 96h100v9h-100z\"/>"));
  EXPECT_THAT(svg, HasSubstr("<path fill=\"#B4B4B4\" d=\"M84 96h100v9h-100zM384 96h100v9h-100z\"/>"));
  EXPECT_THAT(svg, Not(HasSubstr("#CC79A7"))) << "the legend lists only what occurs";
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
