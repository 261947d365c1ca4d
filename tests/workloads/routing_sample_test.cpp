#include "workloads/routing_sample.hpp"

#include <memory>

#include <gmock/gmock.h>

namespace moesim::workloads {
namespace {

using ::testing::IsEmpty;

ModelSpec small_model() {
  ModelSpec model;
  model.num_layers = 3;
  model.moe = MoeSpec{.num_experts = 16, .experts_per_token = 2};
  model.layer_kinds = {{}, {.has_experts = true}, {.has_experts = true}};
  return model;
}

const SampleShape shape{.iterations = 2, .micro_batches = 3, .tokens = 500};

TEST(RoutingSample, FitsItsModel) {
  const RoutingTrace trace =
      routing_sample({.type = RoutingType::Zipf, .counts = TokenCounts::Sampled}, small_model(), shape);
  EXPECT_EQ(trace.rows(), 2U * 2 * 3);
  EXPECT_THAT(problems(trace, small_model()), IsEmpty());
}

// Replayed with as many tokens, it gives the same counts.
TEST(RoutingSample, ComesBackWhenReplayed) {
  for (const TokenCounts counts : {TokenCounts::Expected, TokenCounts::Sampled}) {
    const RoutingModel routing{.type = RoutingType::Zipf, .drift = 0.3, .counts = counts};
    const RoutingTrace trace = routing_sample(routing, small_model(), shape);
    const RoutingModel replay{.type = RoutingType::Trace, .trace = std::make_shared<RoutingTrace>(trace)};
    EXPECT_EQ(routing_sample(replay, small_model(), shape), trace);
  }
}

} // namespace
} // namespace moesim::workloads
