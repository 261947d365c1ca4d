#include "workloads/routing_trace.hpp"

#include <limits>

#include <gmock/gmock.h>

namespace moesim::workloads {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Experts in layers 1 and 2 of 3.
ModelSpec small_model() {
  ModelSpec model;
  model.num_layers = 3;
  model.moe = MoeSpec{.num_experts = 2, .experts_per_token = 1};
  model.layer_kinds = {{}, {.has_experts = true}, {.has_experts = true}};
  return model;
}

RoutingTrace small_trace() {
  return {.iterations = {0, 0, 0, 0},
          .layers = {1, 1, 2, 2},
          .micro_batches = {0, 1, 0, 1},
          .experts = 2,
          .tokens = {1, 2, 3, 4, 5, 6, 7, 8}};
}

TEST(RoutingTrace, FindsRowsAndStartsAgain) {
  const RoutingTrace trace = small_trace();
  EXPECT_THAT(problems(trace, small_model()), IsEmpty());
  EXPECT_EQ(row_of(trace, 0, 1, 1), 1);
  EXPECT_EQ(row_of(trace, 0, 2, 0), 2);
  EXPECT_EQ(row_of(trace, 7, 2, 5), 3);
}

TEST(RoutingTrace, SaysWhatIsThere) {
  RoutingTrace trace = small_trace();
  trace.experts = 1;
  trace.layers = {0, 0, 1, 1};
  EXPECT_THAT(problems(trace, small_model()),
              ElementsAre(HasSubstr("the number of experts is 1 in the trace, 2 in the model"),
                          HasSubstr("has layers 0 to 1, the model has experts in layers 1 to 2")));
  EXPECT_THAT(problems(RoutingTrace{}, small_model()), ElementsAre("the trace has no rows"));
}

TEST(RoutingTrace, MissesNoRowAndHasNoneTwice) {
  const auto about_rows = ElementsAre(HasSubstr("expected one for each of 2 layers in each of 2 micro-batches"));
  RoutingTrace missing = small_trace();
  missing.iterations[3] = 1;
  EXPECT_THAT(problems(in_order(missing), small_model()), about_rows);
  RoutingTrace twice = small_trace();
  twice.layers[1] = 2;
  EXPECT_THAT(problems(in_order(twice), small_model()), about_rows);
  RoutingTrace negative = small_trace();
  negative.iterations = {-1, -1, -1, -1};
  EXPECT_THAT(problems(in_order(negative), small_model()), about_rows);
}

TEST(RoutingTrace, IsPutInOrder) {
  RoutingTrace trace = small_trace();
  trace.layers = {2, 2, 1, 1};
  RoutingTrace sorted = small_trace();
  sorted.tokens = {5, 6, 7, 8, 1, 2, 3, 4};
  EXPECT_EQ(in_order(trace), sorted);
}

TEST(RoutingTrace, CountsAreCounts) {
  RoutingTrace trace = small_trace();
  trace.tokens[2] = trace.tokens[3] = 0;
  EXPECT_THAT(problems(trace, small_model()),
              ElementsAre("iteration 0, layer 1, micro-batch 1: no expert has a token"));
  trace.tokens[2] = -1;
  EXPECT_THAT(problems(trace, small_model()), ElementsAre(HasSubstr("at least 0")));
  trace.tokens[2] = trace.tokens[3] = std::numeric_limits<double>::max();
  EXPECT_THAT(problems(trace, small_model()), ElementsAre(HasSubstr("more tokens than a number can hold")));
}

} // namespace
} // namespace moesim::workloads
