// What each dispatcher sends to the experts and back.
#include <gmock/gmock.h>

#include "tests/workloads/test_job.hpp"

namespace moesim::workloads {
namespace {

using graph::Kind;
using testing::ElementsAre;

struct Sent {
  Kind kind = Kind::Compute;
  double bytes = 0;
  graph::TokenRouting routing;

  bool operator==(const Sent&) const = default;
};

// Over ep or etp, in a forward pass and the backward after it.
std::vector<Sent> sent_by(const TrainingJob& job, graph::Dimension over = graph::Dimension::Ep) {
  std::vector<Sent> result;
  const LayerKind with_experts{.has_experts = true};
  for (const Segments& pass : {layer_forward(job.model, job.micro_batch(), with_experts),
                               layer_backward(job.model, job.micro_batch(), with_experts)})
    for (const Segment& segment : pass)
      if (segment.over == over && segment.kind != Kind::Compute)
        result.push_back({segment.kind, segment.work.bytes.value(), segment.work.routing});
  return result;
}

// 32 tokens of 64 channels in BF16, each to two of eight experts, over four ranks.
TrainingJob job_with(Dispatcher dispatcher) {
  TrainingJob job = job_of(small_moe(), {.ep = 4, .dp = 4});
  job.training.micro_batch_size = 1;
  job.training.seq_length = 32;
  job.moe.dispatcher = dispatcher;
  return job;
}

TEST(Dispatcher, AllToAllSendsACopyForEachExpert) {
  const Sent copies{Kind::AllToAll, 32 * 2 * 64 * 2, {}};
  EXPECT_THAT(sent_by(job_with(Dispatcher::AllToAll)), ElementsAre(copies, copies, copies, copies));
}

TEST(Dispatcher, AllGatherGivesEveryRankAllTokens) {
  const Sent gathers{Kind::AllGather, 4 * 32 * 64 * 2, {}};
  const Sent adds_up{Kind::ReduceScatter, 4 * 32 * 64 * 2, {}};
  EXPECT_THAT(sent_by(job_with(Dispatcher::AllGather)), ElementsAre(gathers, adds_up, gathers, adds_up));
}

// 16 tokens of each of four ranks; copies for two of eight experts each are made where the experts are, not sent.
TEST(Dispatcher, AllGatherGivesThoseWhoShareExpertsAllTokensToo) {
  TrainingJob job = job_of(small_moe(), {.tp = 2, .ep = 2, .etp = 2, .dp = 2});
  job.training.micro_batch_size = 1;
  job.training.seq_length = 32;
  job.moe.dispatcher = Dispatcher::AllGather;
  const Sent gathers{Kind::AllGather, 4 * 16 * 64 * 2, {}};
  const Sent adds_up{Kind::ReduceScatter, 4 * 16 * 64 * 2, {}};
  EXPECT_THAT(sent_by(job, graph::Dimension::Etp), ElementsAre(gathers, adds_up, gathers, adds_up));
  job.moe.dispatcher = Dispatcher::AllToAll;
  const Sent copies{Kind::AllGather, 2 * 16 * 2 * 64 * 2, {}};
  EXPECT_EQ(sent_by(job, graph::Dimension::Etp).front(), copies);
}

TEST(Dispatcher, DeepEpSaysWhereTokensGo) {
  TrainingJob job = job_with(Dispatcher::DeepEp);
  job.model.moe->groups = 4;
  job.model.moe->groups_per_token = 2;
  const graph::TokenRouting routing{
      .experts = 8, .per_token = 2, .groups = 4, .groups_per_token = 2, .token = Bytes(64 * 2)};
  Sent dispatch{Kind::Dispatch, 32 * 2 * 64 * 2, routing};
  const Sent combine{Kind::Combine, 32 * 2 * 64 * 2, routing};
  EXPECT_THAT(sent_by(job), ElementsAre(dispatch, combine, dispatch, combine));

  job.moe.fp8_dispatch = true; // a byte a channel, and 4 bytes for each 128 channels
  dispatch.bytes = 32 * 2 * 64 * (1 + 4.0 / 128);
  dispatch.routing.token = Bytes(64 * (1 + 4.0 / 128));
  EXPECT_THAT(sent_by(job), ElementsAre(dispatch, combine, dispatch, combine));
}

// Two casts: reads 2 bytes a channel, writes 1.
TEST(Dispatcher, CastsWhatItSendsInFp8) {
  const auto moved = [](bool fp8) {
    TrainingJob job = job_with(Dispatcher::DeepEp);
    job.moe.fp8_dispatch = fp8;
    double bytes = 0;
    const LayerKind with_experts{.has_experts = true};
    for (const Segments& pass : {layer_forward(job.model, job.micro_batch(), with_experts),
                                 layer_backward(job.model, job.micro_batch(), with_experts)})
      for (const Segment& segment : pass)
        if (segment.kind == Kind::Compute)
          bytes += segment.work.bytes.value();
    return bytes;
  };
  EXPECT_EQ(moved(true) - moved(false), 2 * 32 * 64 * 3);
}

} // namespace
} // namespace moesim::workloads
