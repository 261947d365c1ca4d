// A server's steps, against what can be worked out by hand and against laws of queues.
#include "simulator/validation/server.hpp"

#include <gtest/gtest.h>

namespace moesim::validation {
namespace {

// A prompt of 100 tokens takes 1 s and each further 100 tokens 0.5 s; a token takes 0.1 s for one sequence and 0.01 s
// more for each further one, and 1 ms more for each token of context.
StepTimes times() {
  const auto decode = [](double context) {
    return StepTimes::Decode{context, {{1, 0.1 + context * 1e-3}, {101, 1.1 + context * 1e-3}}};
  };
  return {{{100, 1}, {200, 1.5}}, {decode(0), decode(1000)}};
}

TEST(Server, ARequestByItselfWaitsForNothing) {
  const Served served = serve(times(), {.prompt_length = 100, .output_length = 3, .tokens_per_step = 1000});
  EXPECT_DOUBLE_EQ(served.ttft.value(), 1);
  EXPECT_NEAR(served.tpot.value(), ((0.1 + 0.1) + (0.1 + 0.101)) / 2, 1e-12); // contexts of 100 and 101
  EXPECT_NEAR(served.time.value(), 1 + 0.2 + 0.201, 1e-12);
  EXPECT_EQ(served.output_tokens, 3);
}

TEST(Server, PromptsShareAStepAsFarAsTokensGo) {
  Clients clients{.requests = 4, .concurrency = 4, .slots = 4, .prompt_length = 100, .output_length = 1};
  clients.tokens_per_step = 400; // all at once: 1 + 3 x 0.5 s
  EXPECT_DOUBLE_EQ(serve(times(), clients).ttft.value(), 2.5);
  clients.tokens_per_step = 250; // two by two: 1.5 s each
  EXPECT_DOUBLE_EQ(serve(times(), clients).ttft.value(), (1.5 + 3) / 2);
  clients.tokens_per_step = 1; // one by one
  EXPECT_DOUBLE_EQ(serve(times(), clients).ttft.value(), 2.5);
}

// Tokens of others ride along with a prompt: its products hide theirs, and attention to their context is added.
TEST(Server, AStepWithBothTakesTheLongerProducts) {
  const double prompt = times().of(100, 0, 0);
  EXPECT_DOUBLE_EQ(times().of(100, 1, 0), prompt);
  EXPECT_NEAR(times().of(100, 1, 500), prompt + 0.5, 1e-12);
  EXPECT_NEAR(times().of(100, 101, 500), 1.1 + 0.5, 1e-12); // of so many tokens, longer than the prompt's
}

TEST(Server, WithoutSlotsRequestsFollowEachOther) {
  Clients clients{.requests = 5, .concurrency = 5, .slots = 1, .prompt_length = 100, .output_length = 2};
  clients.tokens_per_step = 1000;
  const Served one_by_one = serve(times(), clients);
  EXPECT_NEAR(one_by_one.time.value(), 5 * (1 + 0.2), 1e-12);
  EXPECT_NEAR(one_by_one.ttft.value(), 1 + 2 * 1.2, 1e-12); // behind two others on average
}

// Little's law: requests under way are their rate times how long each stays.
TEST(Server, AsManyAreUnderWayAsClientsSend) {
  const Clients clients{.requests = 2000,
                        .concurrency = 20,
                        .slots = 20,
                        .prompt_length = 100,
                        .output_length = 200,
                        .shortest = 0.5,
                        .tokens_per_step = 300};
  const Served served = serve(times(), clients);
  const double mean_output = served.output_tokens / 2000;
  EXPECT_NEAR(mean_output / 150, 1, 0.01); // evenly between 100 and 200
  const double stay = served.ttft.value() + served.tpot.value() * (mean_output - 1);
  EXPECT_NEAR(2000 / served.time.value() * stay / 20, 1, 0.02);
}

TEST(Line, GoesOnBeyondItsPoints) {
  const Line line{{1, 10}, {2, 12}, {4, 20}};
  EXPECT_DOUBLE_EQ(at(line, 1.5), 11);
  EXPECT_DOUBLE_EQ(at(line, 3), 16);
  EXPECT_DOUBLE_EQ(at(line, 5), 24);
  EXPECT_DOUBLE_EQ(at(line, 0.5), 9);
  EXPECT_DOUBLE_EQ(at(line, -9), 0);
  EXPECT_DOUBLE_EQ(at({{7, 3}}, 100), 3);
}

} // namespace
} // namespace moesim::validation
