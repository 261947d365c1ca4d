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
using moesim::testing::sample_record;
using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::Pair;

std::string text_of(const record::RunRecord& run, const GanttOptions& options = {}) {
  std::ostringstream out;
  write_gantt_trace(run, options, out);
  return out.str();
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
  EXPECT_THAT(threads, ElementsAre(Pair(0, "passes"), Pair(1, "compute"), Pair(2, "tp"), Pair(4, "ep"), Pair(5, "dp"),
                                   Pair(6, "pp-send-next"), Pair(7, "pp-send-prev"), Pair(8, "pp-recv-next"),
                                   Pair(9, "pp-recv-prev")));
}

TEST(GanttTrace, GivesTimesToTheNanosecondAndDetailsAsArguments) {
  const json slices = of_kind(events_of(record_of({0}, {{0, "tp", "backward", 1.000000001, 1.5, 4, "experts"}})), "X");
  ASSERT_EQ(slices.size(), 1U);
  EXPECT_EQ(nanoseconds(slices[0]["ts"]), 1'000'000'001);
  EXPECT_EQ(nanoseconds(slices[0]["dur"]), 499'999'999);
  EXPECT_EQ(slices[0]["name"], "experts");
  EXPECT_EQ(slices[0]["cat"], "all-reduce");
  EXPECT_EQ(slices[0]["args"]["phase"], "backward");
  EXPECT_EQ(slices[0]["args"]["micro_batch"], 4);
  EXPECT_EQ(slices[0]["args"]["bytes"], 1e6);
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

// Perfetto moves slices that overlap without nesting to a track of their own.
TEST(GanttTrace, SlicesOfAThreadNest) {
  std::map<std::pair<int, int>, std::vector<std::int64_t>> open; // ends of the slices that are open on (pid, tid)
  const json slices = of_kind(events_of(sample_record({.stages = 4, .micro_batches = 16})), "X");
  EXPECT_GT(slices.size(), 1000U);
  for (const json& slice : slices) {
    auto& ends = open[{slice["pid"], slice["tid"]}];
    const std::int64_t begin = nanoseconds(slice["ts"]);
    while (!ends.empty() && ends.back() <= begin)
      ends.pop_back();
    const std::int64_t end = begin + nanoseconds(slice["dur"]);
    EXPECT_TRUE(ends.empty() || end <= ends.back()) << slice;
    ends.push_back(end);
  }
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
