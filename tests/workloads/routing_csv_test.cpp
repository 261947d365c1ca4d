#include <gmock/gmock.h>

#include "simulator/base/input_error.hpp"
#include "workloads/routing_trace.hpp"

namespace moesim::workloads {
namespace {

using ::testing::ElementsAre;

std::string message_of(const std::string& csv) {
  try {
    (void)read_routing_csv(csv, "loads.csv");
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

const std::string header = std::string(routing_csv_header) + "\n";

TEST(RoutingCsv, ReadsWhatItWrites) {
  const RoutingTrace trace{.iterations = {0, 0, 1, 1},
                           .layers = {3, 4, 3, 4},
                           .micro_batches = {0, 0, 0, 0},
                           .experts = 3,
                           .tokens = {1, 2.5, 0, 1e9, 5, 6, 7, 8, 0.125, 0, 0, 9}};
  EXPECT_EQ(read_routing_csv(to_csv(trace), "loads.csv"), trace);
}

TEST(RoutingCsv, TakesLinesInAnyOrderAndLeavesZerosOut) {
  const RoutingTrace trace = read_routing_csv(header + "0,1,0,2,7\n0,0,0,0,5\n", "loads.csv");
  EXPECT_THAT(trace.layers, ElementsAre(0, 1));
  EXPECT_EQ(trace.experts, 3);
  EXPECT_THAT(trace.tokens, ElementsAre(5, 0, 0, 0, 0, 7));
}

TEST(RoutingCsv, SaysAllThatIsWrongAndWhere) {
  EXPECT_EQ(message_of(header + "0,0,0,0,5\n0,x,0,0,5\n0,0,0,1,-1\n0,0,0\n0,0,0,0,6\n0,0,0,1.5,6\n"),
            "loads.csv:3:3: layer: is no whole number from 0\n"
            "loads.csv:4:9: tokens: is no number from 0\n"
            "loads.csv:5:1: the line has 3 cells; expected 5: iteration,layer,micro_batch,expert,tokens\n"
            "loads.csv:6:7: expert: expert 0 has a line in this iteration, layer and micro-batch already; keep one of "
            "the two\n"
            "loads.csv:7:7: expert: is no whole number from 0\n");
}

TEST(RoutingCsv, NeedsItsHeader) {
  EXPECT_EQ(message_of("0,0,0,0,5\n"), "loads.csv:1:1: the header is not that of a trace; expected "
                                       "iteration,layer,micro_batch,expert,tokens\n");
  EXPECT_THAT(message_of(""), ::testing::HasSubstr("the trace is empty"));
}

TEST(RoutingCsv, RefusesWhatWouldNotFit) {
  EXPECT_THAT(message_of(header + "0,0,0,2000000000,5\n"), ::testing::HasSubstr("too many"));
  EXPECT_THAT(message_of(header + "0,0,0,1,nan\n"), ::testing::HasSubstr("no number"));
  EXPECT_THAT(message_of(header + "0,0,0,1,inf\n"), ::testing::HasSubstr("no number"));
}

} // namespace
} // namespace moesim::workloads
