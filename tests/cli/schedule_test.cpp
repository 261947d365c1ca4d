// `moesim schedule`: what it prints and draws, and what it refuses.
#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "tests/cli/command.hpp"
#include "tests/cli/golden.hpp"

namespace moesim::testing {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

Workplace::Arguments schedule(const std::string& name, std::initializer_list<std::string> options = {}) {
  Workplace::Arguments words{"schedule", name, "--stages", "4", "--microbatches", "8"};
  words.insert(words.end(), options);
  return words;
}

json figures(const std::string& name, std::initializer_list<std::string> options = {}) {
  Workplace::Arguments words = schedule(name, options);
  words.emplace_back("--json");
  const Outcome outcome = Workplace().run(words);
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  return json::parse(outcome.out);
}

TEST(Schedule, PrintsFiguresStagesAndPasses) {
  const Outcome outcome = Workplace().run(schedule("1f1b"));
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(outcome.err, "");
  expect_golden_text("schedule-1f1b.txt", outcome.out);
}

// 1F1B takes (m + p - 1)(F + B + W), of which p - 1 are bubble, and stage s holds p - s micro-batches (arXiv
// 2104.04473).
TEST(Schedule, JsonHasTheFigures) {
  const json one = figures("1f1b");
  EXPECT_EQ(one.at("makespan"), 33.0);
  EXPECT_EQ(one.at("stage_span"), 33.0);
  EXPECT_NEAR(one.at("bubble_fraction").get<double>(), 3.0 / 11, 1e-12);
  EXPECT_EQ(one.at("peak_activations"), (json{4.0, 3.0, 2.0, 1.0}));
  EXPECT_EQ(one.at("work"), (json{24.0, 24.0, 24.0, 24.0}));
  EXPECT_EQ(one.at("idle"), (json{9.0, 9.0, 9.0, 9.0}));
  EXPECT_EQ(one.at("name"), "1f1b");
  EXPECT_EQ(one.at("chunks"), 1);
}

// With transfer delay c: (m+p-1)(F+B+W) + 2c(p-2+m-ceil((m-1)/p)).
TEST(Schedule, TakesCostsAndDelays) {
  EXPECT_EQ(figures("1f1b", {"--forward", "2", "--backward-input", "3", "--backward-weight", "0.5"}).at("makespan"),
            11 * 5.5);
  EXPECT_EQ(figures("1f1b", {"--p2p", "0.25"}).at("makespan"), 33 + 2 * 0.25 * (4 - 2 + 8 - 2));
}

TEST(Schedule, DrawsWhatItTimed) {
  const Workplace place;
  const Outcome outcome = place.run(schedule("1f1b", {"-o", "out.svg", "--width", "400"}));
  EXPECT_EQ(outcome.status, 0);
  EXPECT_THAT(outcome.out, HasSubstr("\nwrote out.svg\n"));
  const std::string picture = read_all(place.path() / "out.svg");
  for (const char* text : {"width=\"400\"", ">1f1b: 4 stages, 8 micro-batches</text>", ">makespan 33 · bubble 27.3 %<",
                           ">time (units)<", "forward of micro-batch 7"})
    EXPECT_THAT(picture, HasSubstr(text));
  EXPECT_EQ(place.run(schedule("1f1b", {"-o", "out.json", "--json"})).status, 0);
  const json trace = json::parse(read_all(place.path() / "out.json"));
  EXPECT_EQ(std::count_if(trace.at("traceEvents").begin(), trace.at("traceEvents").end(),
                          [](const json& event) { return event.value("cat", "") == "pass"; }),
            4 * 16);
}

TEST(Schedule, SaysWhereALongOneCanBeSeen) {
  const Outcome outcome = Workplace().run({"schedule", "gpipe", "--stages", "16", "--microbatches", "64"});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_THAT(outcome.out, HasSubstr("\nToo long to draw in 120 columns; -o FILE.svg draws it.\n"));
}

void expect_refusal(const Workplace::Arguments& arguments, const std::string& message) {
  const Workplace place;
  Workplace::Arguments words = arguments;
  words.insert(words.end(), {"-o", "out.svg"});
  const Outcome outcome = place.run(words);
  EXPECT_EQ(outcome.status, 2);
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(outcome.err, message + "\nRun with --help for more information.\n");
  EXPECT_TRUE(place.names().empty());
}

TEST(Schedule, RefusesNamesItDoesNotKnow) {
  expect_refusal(schedule("1f1"), "name: unknown schedule '1f1'; did you mean '1f1b'?");
  const Outcome outcome = Workplace().run(schedule("round-robin"));
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.err, HasSubstr("name: unknown schedule 'round-robin'; expected one of custom, 1f1b, "));
}

TEST(Schedule, RefusesShapesWithTheReason) {
  expect_refusal(schedule("1f1b", {"--chunks", "2"}), "name: 1f1b runs 1 chunk a stage, not 2; use 1");
  expect_refusal({"schedule", "1f1b", "--stages", "0", "--microbatches", "8"}, "--stages: 0 is too few; use 1 or more");
  expect_refusal({"schedule", "1f1b", "--stages", "4", "--microbatches", "-1"},
                 "--microbatches: -1 is too few; use 1 or more");
  expect_refusal(schedule("1f1b", {"--chunks", "-3"}), "--chunks: -3 is too few; use 0 or more");
  expect_refusal(schedule("1f1b", {"--chunks", "256"}), "--chunks: 256 is too many; use 255 at most");
  expect_refusal(schedule("1f1b", {"--max-in-flight", "-1"}), "--max-in-flight: -1 is too few; use 0 or more");
  expect_refusal({"schedule", "1f1b", "--stages", "100000", "--microbatches", "1000000000"},
                 "--microbatches: stages x micro-batches x chunks is 1e+14; use 1e+07 at most");
}

// What is not refused ends: a search that would take minutes is.
TEST(Schedule, RefusesSearchesThatTakeTooLong) {
  expect_refusal(
      {"schedule", "zb-auto", "--stages", "100", "--microbatches", "1000"},
      "name: zb-auto would search too long for 100 stages and 1000 micro-batches; use 689 micro-batches at most");
  expect_refusal(
      {"schedule", "zb-auto", "--stages", "5000", "--microbatches", "10"},
      "name: zb-auto would search too long for 5000 stages and 10 micro-batches; use fewer stages, or zb-h1");
}

// With the memory of one micro-batch, stages take turns.
TEST(Schedule, SearchesWithinTheMemoryItIsGiven) {
  EXPECT_EQ(figures("zb-auto", {"--max-in-flight", "4"}).at("makespan"), 27.0); // as ZB-H1
  EXPECT_EQ(figures("zb-auto", {"--max-in-flight", "1"}).at("peak_activations"), (json{1.0, 1.0, 1.0, 1.0}));
}

// With costs for which others of its orders are the best than with equal ones.
TEST(Schedule, SearchesForTheCostsThatItIsGiven) {
  const auto makespan = [](const std::string& name) {
    return figures(name, {"--forward", "18.5", "--backward-input", "18.1", "--backward-weight", "9.3", "--p2p", "0.6"})
        .at("makespan")
        .get<double>();
  };
  EXPECT_LE(makespan("zb-auto"), makespan("zb-h1"));
}

TEST(Schedule, RefusesCostsThatAreNone) {
  expect_refusal(schedule("1f1b", {"--forward", "-1"}), "--forward: -1 is no time; use 0 to 1e+12");
  expect_refusal(schedule("1f1b", {"--backward-input", "nan"}), "--backward-input: nan is no time; use 0 to 1e+12");
  expect_refusal(schedule("1f1b", {"--backward-weight", "inf"}), "--backward-weight: inf is no time; use 0 to 1e+12");
  expect_refusal(schedule("1f1b", {"--p2p", "1e13"}), "--p2p: 1e+13 is no time; use 0 to 1e+12");
  expect_refusal(schedule("1f1b", {"--forward", "0", "--backward-input", "0", "--backward-weight", "0"}),
                 "--forward: no pass takes any time; give one a cost above 0");
}

TEST(Schedule, RefusesOtherPictures) {
  const Workplace place;
  const Outcome outcome = place.run(schedule("1f1b", {"-o", "out.png"}));
  EXPECT_EQ(outcome.status, 2);
  EXPECT_EQ(outcome.out, "");
  EXPECT_THAT(outcome.err, HasSubstr("-o: 'out.png' ends in none of .html"));
  EXPECT_EQ(place.run(schedule("1f1b", {"-o", "missing/out.svg"})).err,
            "missing/out.svg: cannot write: No such file or directory\n");
  EXPECT_THAT(place.run(schedule("1f1b", {"-o", "out.svg", "--width", "20"})).err, HasSubstr("--width: "));
}

TEST(Schedule, NeedsASize) {
  expect_refusal({"schedule", "1f1b"}, "--stages: 0 is too few; use 1 or more");
  expect_refusal({"schedule", "1f1b", "--stages", "4"}, "--microbatches: 0 is too few; use 1 or more");
  EXPECT_EQ(Workplace().run(schedule("1f1b", {"--forward", "fast"})).status, 2);
}

TEST(Schedule, RunsAnOrderOfYourOwn) {
  const Workplace place;
  place.write("gpipe.txt", "F0 F1 B0 B1\nF0 F1 B0 B1\n");
  place.write("gpipe.csv", "stage,pass,micro_batch,chunk\n0,F,0,0\n0,F,1,0\n0,B,0,0\n0,B,1,0\n"
                           "1,F,0,0\n1,F,1,0\n1,B,0,0\n1,B,1,0\n");
  for (const char* file : {"gpipe.txt", "gpipe.csv"}) {
    const Outcome outcome = place.run({"schedule", "custom", "--order", file, "--json"});
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_EQ(json::parse(outcome.out).at("makespan"), 9.0); // (m + p - 1)(F + B + W)
    EXPECT_EQ(json::parse(outcome.out).at("microbatches"), 2);
  }
}

TEST(Schedule, SaysWhereAnOrderIsWrong) {
  const Workplace place;
  place.write("order.txt", "F0 B0\nF0 X0\n");
  Outcome outcome = place.run({"schedule", "custom", "--order", "order.txt"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.err, HasSubstr("order.txt:2:1: 'X0' is no pass; "));
  place.write("order.txt", "F0 B0\nF0\n");
  outcome = place.run({"schedule", "custom", "--order", "order.txt"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.err, HasSubstr("order.txt:1:1: "));
  EXPECT_THAT(outcome.err, HasSubstr("B0"));
  place.write("order.txt", "F0 B0 F2000000000\n");
  EXPECT_THAT(place.run({"schedule", "custom", "--order", "order.txt"}).err, HasSubstr("use 1e+07 at most"));
  place.write("order.txt", "\n");
  EXPECT_EQ(place.run({"schedule", "custom", "--order", "order.txt"}).err,
            "order.txt:1:1: there is no pass; write a line for each stage, such as F0 F1 B0 B1\n");
  EXPECT_THAT(place.run({"schedule", "custom", "--order", "none.txt"}).err,
              HasSubstr("none.txt:1:1: cannot be opened"));
  expect_refusal({"schedule", "custom"}, "--order: a custom schedule is a file; give --order FILE");
  expect_refusal(schedule("1f1b", {"--order", "order.txt"}),
                 "--order: 1f1b has an order of its own; the file is for the schedule 'custom'");
}

} // namespace
} // namespace moesim::testing
