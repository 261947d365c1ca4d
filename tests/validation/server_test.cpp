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
  const Served served = serve(times(), {.prompt_length = 100, .output_length = 3}, {.tokens_per_step = 1000});
  EXPECT_DOUBLE_EQ(served.ttft.value(), 1);
  EXPECT_NEAR(served.tpot.value(), ((0.1 + 0.1) + (0.1 + 0.101)) / 2, 1e-12); // contexts of 100 and 101
  EXPECT_NEAR(served.time.value(), 1 + 0.2 + 0.201, 1e-12);
  EXPECT_EQ(served.output_tokens, 3);
}

// A hundred tokens take the front end 0.1 s, one prompt after the other, and 0.05 s pass besides. The first prompt is a
// step by itself, in which the two others are read.
TEST(Server, PromptsAreReadOneAfterTheOther) {
  Clients clients{.requests = 3, .concurrency = 3, .slots = 3, .prompt_length = 100, .output_length = 1};
  clients.request = Seconds(0.05);
  clients.prompt_token = Seconds(0.001);
  const Served served = serve(times(), clients, {.tokens_per_step = 1000});
  EXPECT_NEAR(served.time.value(), 0.15 + 1 + 1.5, 1e-12);
  EXPECT_NEAR(served.ttft.value(), (1.15 + 2 * 2.65) / 3, 1e-12);
}

TEST(Server, PromptsShareAStepAsFarAsTokensGo) {
  const Clients clients{.requests = 4, .concurrency = 4, .slots = 4, .prompt_length = 100, .output_length = 1};
  const auto ttft = [&](std::int64_t tokens) { return serve(times(), clients, {.tokens_per_step = tokens}).ttft; };
  EXPECT_DOUBLE_EQ(ttft(400).value(), 2.5);           // all at once: 1 + 3 x 0.5 s
  EXPECT_DOUBLE_EQ(ttft(250).value(), (1.5 + 3) / 2); // two by two: 1.5 s each
  EXPECT_DOUBLE_EQ(ttft(1).value(), 2.5);             // one by one
}

// 250 tokens a step: two and a half prompts, the other half and one and a half; 1.75 and 1.25 s.
TEST(Server, APromptIsCutWhereTokensRunOut) {
  const Clients clients{.requests = 4, .concurrency = 4, .slots = 4, .prompt_length = 100, .output_length = 1};
  const Served served = serve(times(), clients, {.tokens_per_step = 250, .cuts_prompts = true});
  EXPECT_DOUBLE_EQ(served.ttft.value(), (2 * 1.75 + 2 * 3) / 4);
  EXPECT_DOUBLE_EQ(served.time.value(), 3);
}

// Beside a prompt the products of others take no time; alone it takes all of its own.
TEST(Server, WhereNothingMixesAPromptStopsTheOthers) {
  const Clients clients{
      .requests = 200, .concurrency = 4, .slots = 4, .prompt_length = 100, .output_length = 50, .shortest = 0.5};
  const auto time = [&](bool mixes) { return serve(times(), clients, {.tokens_per_step = 100, .mixes = mixes}).time; };
  EXPECT_GT(time(false), time(true));
}

// One at a time, a server that looks every tenth step sees the next request at once, as nothing runs.
TEST(Server, LooksForWhatIsSentWhenItIsIdle) {
  const Clients clients{.requests = 4, .prompt_length = 100, .output_length = 3};
  EXPECT_EQ(serve(times(), clients, {.tokens_per_step = 100, .looks_every = 10}).time,
            serve(times(), clients, {.tokens_per_step = 100}).time);
}

// Of two that run, the one that ends is followed by a third, which waits until the server looks again.
TEST(Server, WhatIsSentWaitsUntilItLooks) {
  const Clients clients{
      .requests = 40, .concurrency = 2, .slots = 2, .prompt_length = 100, .output_length = 50, .shortest = 0.2};
  const auto ttft = [&](std::int64_t steps) {
    return serve(times(), clients, {.tokens_per_step = 100, .looks_every = steps}).ttft;
  };
  EXPECT_GT(ttft(20), ttft(1) + Seconds(5 * 0.1)); // half of 20 steps on average, where the other runs as long
}

// Two of three drafted tokens are accepted: 30 further tokens come in ten steps.
TEST(Server, AcceptedDraftsSaveSteps) {
  const Clients clients{.prompt_length = 100, .output_length = 31};
  const Served served = serve(times(), clients, {.tokens_per_step = 100, .drafted = 3, .accepted = 2});
  double steps = 0; // s, contexts of 100, 103, ... tokens
  for (int step = 0; step < 10; ++step)
    steps += 0.1 + (100 + 3 * step) * 1e-3;
  EXPECT_NEAR(served.tpot.value(), steps / 30, 1e-12);
  EXPECT_EQ(served.output_tokens, 31);
}

// Tokens of others ride along with a prompt: its products hide theirs, and attention to their context is added.
TEST(Server, AStepWithBothTakesTheLongerProducts) {
  const double prompt = times().of(100, 0, 0);
  EXPECT_DOUBLE_EQ(times().of(100, 1, 0), prompt);
  EXPECT_NEAR(times().of(100, 1, 500), prompt + 0.5, 1e-12);
  EXPECT_NEAR(times().of(100, 101, 500), 1.1 + 0.5, 1e-12); // of so many tokens, longer than the prompt's
}

TEST(Server, WithoutSlotsRequestsFollowEachOther) {
  const Clients clients{.requests = 5, .concurrency = 5, .slots = 1, .prompt_length = 100, .output_length = 2};
  const Served one_by_one = serve(times(), clients, {.tokens_per_step = 1000});
  EXPECT_NEAR(one_by_one.time.value(), 5 * (1 + 0.2), 1e-12);
  EXPECT_NEAR(one_by_one.ttft.value(), 1 + 2 * 1.2, 1e-12); // behind two others on average
}

// Little's law: requests under way are their rate times how long each stays.
TEST(Server, AsManyAreUnderWayAsClientsSend) {
  const Clients clients{
      .requests = 2000, .concurrency = 20, .slots = 20, .prompt_length = 100, .output_length = 200, .shortest = 0.5};
  const Served served = serve(times(), clients, {.tokens_per_step = 300});
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
