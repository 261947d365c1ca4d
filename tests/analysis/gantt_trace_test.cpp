#include "analysis/gantt_trace.hpp"

#include "tests/analysis/record_builder.hpp"
#include "tests/record/sample_record.hpp"

#include <map>
#include <sstream>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

namespace moesim::analysis {
namespace {

using moesim::testing::record_of;
using moesim::testing::Row;
using moesim::testing::row_at;
using moesim::testing::sample_record;
using moesim::testing::wait;
using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::Pair;

std::string text_of(const record::RunRecord& run, const GanttOptions& options = {}) {
  std::string text;
  write_gantt_trace(run, options, [&](std::string_view piece) { text += piece; });
  return text;
}

json events_of(const record::RunRecord& run, const GanttOptions& options = {}) {
  const json trace = json::parse(text_of(run, options));
  EXPECT_EQ(trace["displayTimeUnit"], "ns");
  return trace["traceEvents"];
}

json of_kind(const json& events, const std::string& ph) {
  json found = json::array();
  std::copy_if(events.begin(), events.end(), std::back_inserter(found),
               [&](const json& event) { return event["ph"] == ph; });
  return found;
}

// As Perfetto does it.
std::int64_t nanoseconds(const json& microseconds) {
  return std::llround(microseconds.get<double>() * 1000);
}

TEST(GanttTrace, NamesRanksAndStreamsInAFixedOrder) {
  const json events = events_of(sample_record(), {.ranks = {3}, .width = 0});
  std::map<int, std::string> threads; // by sort order, which is the id
  for (const json& event : of_kind(events, "M")) {
    if (event["name"] == "process_name" && event["pid"] == 3) {
      EXPECT_EQ(event["args"]["name"], "rank 3 | pp1 tp1 ep1 dp0");
    }
    if (event["name"] == "thread_name")
      threads[event["tid"]] = event["args"]["name"];
  }
  EXPECT_THAT(threads, ElementsAre(Pair(0, "passes"), Pair(2, "bubbles"), Pair(3, "compute"), Pair(4, "tp"),
                                   Pair(6, "ep"), Pair(7, "dp"), Pair(8, "pp-send-next"), Pair(9, "pp-send-prev"),
                                   Pair(10, "pp-recv-next"), Pair(11, "pp-recv-prev")));
}

TEST(GanttTrace, GivesTimesToTheNanosecondAndDetailsAsArguments) {
  const json slices = of_kind(events_of(record_of({0}, {{0, "tp", "backward", 1.000000001, 1.5, 4, "experts"}})), "X");
  ASSERT_EQ(slices.size(), 2U); // idle before
  EXPECT_EQ(nanoseconds(slices[1]["ts"]), 1'000'000'001);
  EXPECT_EQ(nanoseconds(slices[1]["dur"]), 499'999'999);
  EXPECT_EQ(slices[1]["name"], "experts");
  EXPECT_EQ(slices[1]["cat"], "all-reduce");
  EXPECT_EQ(slices[1]["args"]["phase"], "backward");
  EXPECT_EQ(slices[1]["args"]["micro_batch"], 4);
  EXPECT_EQ(slices[1]["args"]["bytes"], 1e6);
}

TEST(GanttTrace, IsSortedByTime) {
  std::int64_t before = 0;
  for (const json& event : events_of(sample_record())) {
    if (event["ph"] == "M")
      continue;
    EXPECT_GE(nanoseconds(event["ts"]), before);
    before = nanoseconds(event["ts"]);
  }
}

// The first slice that overlaps with one that is open on its thread without nesting in it. Perfetto moves such slices
// to a track of their own.
json first_that_does_not_nest(const json& events) {
  std::map<std::pair<int, int>, std::vector<std::int64_t>> open; // ends of the slices that are open on (pid, tid)
  for (const json& slice : of_kind(events, "X")) {
    auto& ends = open[{slice["pid"], slice["tid"]}];
    const std::int64_t begin = nanoseconds(slice["ts"]);
    while (!ends.empty() && ends.back() <= begin)
      ends.pop_back();
    const std::int64_t end = begin + nanoseconds(slice["dur"]);
    if (!ends.empty() && end > ends.back())
      return slice;
    ends.push_back(end);
  }
  return nullptr;
}

TEST(GanttTrace, SlicesOfAThreadNest) {
  const json events = events_of(sample_record({.stages = 4, .micro_batches = 16}));
  EXPECT_GT(of_kind(events, "X").size(), 1000U);
  EXPECT_EQ(first_that_does_not_nest(events), nullptr);
}

// A forward and a backward that take turns, as in DualPipe, with a weight gradient that comes between two turns.
record::RunRecord passes_that_take_turns() {
  return record_of({0}, {{0, "compute", "forward", 0, 1, 7},
                         {0, "compute", "backward", 1, 2, 3},
                         {0, "compute", "forward", 2, 3, 7},
                         {0, "compute", "backward", 3, 4, 3},
                         {0, "compute", "backward-weight", 4, 5, 2},
                         {0, "compute", "backward", 5, 6, 3},
                         {0, "compute", "forward", 6, 7, 8}});
}

TEST(GanttTrace, PassesThatTakeTurnsAreWholeAndSideBySide) {
  const json events = events_of(passes_that_take_turns());
  EXPECT_EQ(first_that_does_not_nest(events), nullptr);
  std::vector<std::string> passes;
  for (const json& slice : of_kind(events, "X"))
    if (slice["cat"] == "pass")
      passes.push_back(slice["name"].get<std::string>() + " on " + slice["tid"].dump() + ": " +
                       std::to_string(nanoseconds(slice["ts"]) / 1'000'000'000) + "+" +
                       std::to_string(nanoseconds(slice["dur"]) / 1'000'000'000));
  EXPECT_THAT(passes, ElementsAre("F 7 on 0: 0+3", "B 3 on 1: 1+5", "W 2 on 0: 4+1", "F 8 on 0: 6+1"));
}

TEST(GanttTrace, BubblesSayWhatTheyWaitedFor) {
  record::RunRecord run = record_of({0, 1}, {{0, "compute", "forward", 0, 1, 5},
                                             {0, "compute", "backward", 2, 3, 5},
                                             {1, "compute", "forward", 1, 2, 5, "experts"}});
  wait(run, row_at(run, 1, 1), {row_at(run, 0, 0)});
  wait(run, row_at(run, 0, 2), {row_at(run, 1, 1)});
  std::vector<json> bubbles;
  for (const json& slice : of_kind(events_of(run), "X"))
    if (slice["cat"] == "bubble" && slice["pid"] == 0)
      bubbles.push_back(slice);
  ASSERT_EQ(bubbles.size(), 1U);
  EXPECT_EQ(bubbles[0]["name"], "waiting for a neighbour");
  EXPECT_EQ(bubbles[0]["args"], (json{{"why", "waiting for stage 1's forward of micro-batch 5"},
                                      {"waited_for", "experts"},
                                      {"stage", 1},
                                      {"phase", "forward"},
                                      {"layer", 0},
                                      {"micro_batch", 5},
                                      {"chunk", 0}}));
}

TEST(GanttTrace, ShowsAWindowOfTime) {
  const record::RunRecord run = sample_record();
  const double from = 0.3 * run.figures.makespan;
  const double to = 0.5 * run.figures.makespan;
  const json all = events_of(run);
  const json some = events_of(run, {.ranks = {}, .from = from, .to = to});
  const auto count = [](const json& events, auto is_counted) {
    return std::count_if(events.begin(), events.end(), is_counted);
  };
  const auto is_seen = [&](const json& event) {
    return event["ph"] == "X" && nanoseconds(event["ts"]) <= std::llround(to * 1e9) &&
           nanoseconds(event["ts"]) + nanoseconds(event["dur"]) >= std::llround(from * 1e9);
  };
  EXPECT_EQ(count(some, is_seen), count(all, is_seen));
  EXPECT_EQ(of_kind(some, "X").size(), static_cast<std::size_t>(count(all, is_seen)));
  EXPECT_EQ(of_kind(some, "s").size(), of_kind(some, "f").size());
  EXPECT_LT(of_kind(some, "s").size(), of_kind(all, "s").size());
  // A counter holds from the last value before the window.
  const json counters = of_kind(some, "C");
  for (int rank = 0; rank < 8; rank += 2)
    EXPECT_TRUE(std::ranges::any_of(counters, [&](const json& event) {
      return event["pid"] == rank && nanoseconds(event["ts"]) <= std::llround(from * 1e9);
    })) << rank;
}

TEST(GanttTrace, ArrowsLeadFromASendToItsReceive) {
  const json events = events_of(sample_record());
  struct Slice {
    std::int64_t begin = 0;
    std::int64_t end = 0;
    json event;
  };
  std::map<std::pair<int, int>, Slice> latest; // the slice that an arrow binds to, if it is still open
  std::map<int, json> starts;
  std::size_t arrows = 0;
  for (const json& event : events) {
    if (event["ph"] == "M" || event["ph"] == "C")
      continue;
    const std::pair<int, int> thread{event["pid"], event["tid"]};
    const std::int64_t time = nanoseconds(event["ts"]);
    if (event["ph"] == "X")
      latest[thread] = {time, time + nanoseconds(event["dur"]), event};
    else
      ASSERT_TRUE(latest.contains(thread) && time < latest[thread].end) << "binds to an open slice: " << event;
    if (event["ph"] == "s")
      starts[event["id"]] = latest[thread].event;
    if (event["ph"] != "f")
      continue;
    EXPECT_EQ(event["bp"], "e");
    const json& sent = starts.at(event["id"]);
    const json& received = latest[thread].event;
    EXPECT_EQ(sent["args"]["micro_batch"], received["args"]["micro_batch"]);
    EXPECT_EQ(sent["args"]["phase"], received["args"]["phase"]);
    EXPECT_EQ(std::abs(sent["pid"].get<int>() - received["pid"].get<int>()), 2) << "stages are two ranks apart";
    ++arrows;
  }
  EXPECT_EQ(arrows, 2U * 8U * 3U); // forward and backward, micro-batches, boundaries between stages
}

TEST(GanttTrace, ArrowsStayBetweenNeighboursOfTheSameReplica) {
  // Both replicas of stage 0 send at the same time; each has its own receiver.
  record::RunRecord run =
      record_of({0, 0, 1, 1}, {Row{0, "pp-send-next", "forward", 0, 1}, Row{1, "pp-send-next", "forward", 0, 1},
                               Row{2, "pp-recv-prev", "forward", 0, 1}, Row{3, "pp-recv-prev", "forward", 0, 1}});
  run.ranks.dp = {0, 1, 0, 1};
  std::vector<std::string> ends;
  for (const json& event : events_of(run, {.ranks = {0, 1, 2, 3}, .width = 0}))
    if (event["ph"] == "s" || event["ph"] == "f")
      ends.push_back(event["ph"].get<std::string>() + event["id"].dump() + " rank " + event["pid"].dump());
  EXPECT_THAT(ends, ElementsAre("s1 rank 0", "s2 rank 1", "f1 rank 2", "f2 rank 3"));
}

TEST(GanttTrace, CountsMemoryPerRankAndTokensOfTheJob) {
  const json counters = of_kind(events_of(sample_record()), "C");
  std::map<std::string, std::size_t> count;
  for (const json& counter : counters)
    ++count[counter["name"]];
  EXPECT_EQ(count["memory (bytes)"], 4U * 8U * 2U * 3U); // ranks, micro-batches, passes, layers
  EXPECT_EQ(count["throughput (tokens/s)"], 9U);         // one per micro-batch, and the end
  EXPECT_EQ(counters[0]["args"].size() + counters[1]["args"].size(), 5U);
}

TEST(GanttTrace, SurvivesNamesThatNeedEscaping) {
  record::RunRecord run = sample_record();
  run.tasks.names[0] = "a\"b\\c\n\xff";
  EXPECT_NO_THROW(events_of(run));
}

TEST(GanttTrace, SameRecordSameBytes) {
  EXPECT_EQ(text_of(sample_record()), text_of(sample_record()));
}

TEST(GanttTrace, AnEmptyRunIsATraceToo) {
  EXPECT_EQ(events_of({}).size(), 0U);
}

} // namespace
} // namespace moesim::analysis
