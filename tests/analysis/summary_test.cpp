#include "analysis/summary.hpp"

#include "tests/analysis/record_builder.hpp"
#include "tests/record/sample_record.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

namespace moesim::analysis {
namespace {

using moesim::testing::record_of;
using moesim::testing::sample_record;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

// Two stages of one rank; stage 1 computes longer, 3 of 4 s; rank 1 is fuller.
record::RunRecord two_stages() {
  record::RunRecord run =
      record_of({0, 1}, {{0, "compute", "forward", 0, 2}, {0, "tp", "forward", 2, 3}, {1, "compute", "forward", 1, 4}});
  run.figures.tokens_per_iteration = 8000;
  run.figures.model_flops = 4e15;
  run.figures.hardware_flops = 4e15;
  run.figures.peak_flops_per_gpu = 1e15;
  run.figures.memory_capacity = 100;
  run.memory = {{0, 1, 0, 2}, {0, 0, 1, 1}, {"weights", "activations"}, {{10, 10, 20, 20}, {30, 0, 5, 60}}};
  return run;
}

TEST(Summary, DerivesRatesFromTheIteration) {
  const Summary summary = summarize(two_stages());
  EXPECT_DOUBLE_EQ(summary.iteration_time_s, 4);
  EXPECT_DOUBLE_EQ(summary.tokens_per_s, 2000);
  EXPECT_DOUBLE_EQ(summary.tokens_per_s_per_gpu, 1000);
  EXPECT_DOUBLE_EQ(summary.model_tflops_per_gpu, 500);
  EXPECT_DOUBLE_EQ(summary.mfu, 0.5);
  EXPECT_DOUBLE_EQ(summary.bubble_fraction, 0.25);                 // 1 s of each rank
  EXPECT_DOUBLE_EQ(summary.exposed_communication_fraction, 0.125); // 1 s of one rank
  EXPECT_EQ(summary.slowest_stage, 1U);
  ASSERT_EQ(summary.stages.size(), 2U);
  EXPECT_DOUBLE_EQ(summary.stages[0].compute, 2);
  EXPECT_DOUBLE_EQ(summary.stages[1].compute, 3);
}

TEST(Summary, PicksTheFullestMomentOfTheFullestRank) {
  const Summary summary = summarize(two_stages());
  EXPECT_DOUBLE_EQ(summary.peak_memory_bytes, 80);
  EXPECT_EQ(summary.peak_memory_rank, 1U);
  ASSERT_EQ(summary.peak_memory.size(), 2U);
  EXPECT_DOUBLE_EQ(summary.peak_memory[1].bytes, 60);
  EXPECT_TRUE(summary.fits);
}

TEST(Summary, FittingExactlyFits) {
  record::RunRecord run = two_stages();
  run.figures.memory_capacity = 80;
  EXPECT_TRUE(summarize(run).fits);
  run.figures.memory_capacity = 79;
  EXPECT_FALSE(summarize(run).fits);
}

TEST(Summary, FoldingChangesNeitherCountsNorFractions) {
  const Summary folded = summarize(sample_record({.folded = true}));
  const Summary full = summarize(sample_record({.folded = false}));
  EXPECT_EQ(folded.tasks, full.tasks);
  EXPECT_EQ(folded.world_size, full.world_size);
  EXPECT_EQ(folded.simulated_ranks * 2, full.simulated_ranks);
  EXPECT_DOUBLE_EQ(folded.bubble_fraction, full.bubble_fraction);
  EXPECT_DOUBLE_EQ(folded.exposed_communication_fraction, full.exposed_communication_fraction);
}

TEST(Summary, ExpertFiguresAreMeansOverLayersAndOnlyThereForExperts) {
  record::RunRecord run = two_stages();
  EXPECT_FALSE(summarize(run).experts.has_value());
  run.experts.layers = {0, 1, 2};
  run.experts.experts = 2;
  run.experts.tokens = {10, 10, 30, 10, 0, 0}; // 1, 1.5, and a layer that routes nothing
  run.figures.dropped_tokens = 7;
  EXPECT_DOUBLE_EQ(summarize(run).experts->load_max_over_mean, 1.25);
  EXPECT_DOUBLE_EQ(summarize(run).experts->dropped_tokens, 7);
}

TEST(Summary, AnEmptyRunHasNoNumbersThatJsonLacks) {
  EXPECT_THAT(to_json(summarize({})), Not(HasSubstr("null")));
  EXPECT_THAT(to_text(summarize({}), Colour::Off), Not(HasSubstr("nan")));
}

TEST(SummaryJson, HasTheKeysOfTheContract) {
  const auto keys_of = [](const record::RunRecord& run) {
    std::vector<std::string> keys;
    const nlohmann::ordered_json json = nlohmann::ordered_json::parse(to_json(summarize(run)));
    for (const auto& item : json.items())
      keys.push_back(item.key());
    return keys;
  };
  EXPECT_THAT(keys_of(two_stages()),
              ElementsAre("iteration_time_s", "tokens_per_s", "tokens_per_s_per_gpu", "model_tflops_per_gpu", "mfu",
                          "hfu", "bubble_fraction", "exposed_communication_fraction", "peak_memory_bytes",
                          "memory_capacity_bytes", "fits", "world_size", "simulated_ranks", "tasks", "bubbles",
                          "symmetry"));
  const std::vector<std::string> with_experts = keys_of(sample_record());
  EXPECT_THAT(std::vector(with_experts.end() - 12, with_experts.end()),
              ElementsAre("load_max_over_mean", "routed_tokens", "computed_tokens", "dropped_tokens", "load_cv",
                          "rank_load_max_over_mean", "rank_load_cv", "moved_tokens", "moved_bytes", "imbalance_s",
                          "expert_latency_p50_s", "expert_latency_p99_s"));
}

TEST(SummaryJson, BubblesAreSecondsByCauseOfTheJobAndOfEachStage) {
  const auto bubbles = nlohmann::json::parse(to_json(summarize(two_stages())))["bubbles"];
  const auto of = [](double warm_up, double cool_down) {
    return nlohmann::json{{"warm_up_s", warm_up},    {"neighbour_s", 0.0},       {"stage_imbalance_s", 0.0},
                          {"rank_imbalance_s", 0.0}, {"cool_down_s", cool_down}, {"optimizer_tail_s", 0.0}};
  };
  EXPECT_EQ(bubbles["total"], of(0.5, 0.5));
  EXPECT_EQ(bubbles["stages"], nlohmann::json({of(0, 1), of(1, 0)}));
}

TEST(SummaryJson, InferenceSaysWhenTokensCome) {
  record::RunRecord run = two_stages();
  EXPECT_FALSE(nlohmann::json::parse(to_json(summarize(run))).contains("ttft_s"));
  run.figures.output_tokens = 200;
  run.figures.ttft = 1.5;
  run.figures.tpot = 0.25;
  run.figures.kv_cache = 30;
  const auto json = nlohmann::json::parse(to_json(summarize(run)));
  EXPECT_EQ(json["ttft_s"], 1.5);
  EXPECT_EQ(json["tpot_s"], 0.25);
  EXPECT_EQ(json["output_tokens_per_s"], 50); // in 4 s
  EXPECT_EQ(json["kv_cache_bytes"], 30);
  EXPECT_THAT(to_text(summarize(run), Colour::Off),
              AllOf(HasSubstr("  first token       1.5 s after the start (TTFT), then one every 250 ms (TPOT)\n"),
                    HasSubstr("  output            50 tokens/s; KV cache 30 B on the fullest GPU\n")));
  run.figures.tpot = 0; // one output token
  EXPECT_TRUE(nlohmann::json::parse(to_json(summarize(run)))["tpot_s"].is_null());
  EXPECT_THAT(to_text(summarize(run), Colour::Off), Not(HasSubstr("TPOT")));
}

TEST(SummaryJson, NumbersSurviveExactly) {
  record::RunRecord run = two_stages();
  run.figures.makespan = 0.1 + 0.2;
  EXPECT_EQ(nlohmann::json::parse(to_json(summarize(run)))["iteration_time_s"].get<double>(), 0.1 + 0.2);
}

TEST(SummaryText, SaysWhatPeopleAskFor) {
  EXPECT_EQ(to_text(summarize(two_stages()), Colour::Off), R"(made by hand
  iteration time    4 s
  throughput        2,000 tokens/s, 1,000 per GPU
  model FLOP/s      500.0 TFLOP/s per GPU, MFU 50.0 %
  size              2 GPUs (2 simulated), 3 tasks

where the time of an average GPU goes
  compute             62.5 %      2.5 s  █████████████████████████
  exposed tp          12.5 %     500 ms                           █████
  bubble, warm-up     12.5 %     500 ms                                █████
  bubble, cool-down   12.5 %     500 ms                                     █████

memory of the fullest GPU (rank 1): 80 B of 100 B (80 %)
  weights             25.0 %       20 B
  activations         75.0 %       60 B

slowest stage: 1 of 0..1, computes 3 s (+20.0 % against the mean)
idlest stage: 0, 1 s, 100 % of it because it has done its passes before others
)");
}

TEST(SummaryText, SaysByHowMuchMemoryDoesNotFit) {
  record::RunRecord run = two_stages();
  run.figures.memory_capacity = 50;
  EXPECT_THAT(to_text(summarize(run), Colour::Off), HasSubstr("80 B of 50 B, does not fit: 30 B too much"));
}

TEST(SummaryText, SaysHfuWhereSomethingIsComputedAgain) {
  record::RunRecord run = two_stages();
  run.figures.hardware_flops = 1.25 * run.figures.model_flops;
  EXPECT_DOUBLE_EQ(summarize(run).hfu, 1.25 * summarize(run).mfu);
  EXPECT_THAT(to_text(summarize(run), Colour::Off), HasSubstr("MFU 50.0 %, HFU 62.5 %\n"));
}

TEST(SummaryText, HasColoursOnlyWhenAsked) {
  EXPECT_THAT(to_text(summarize(two_stages()), Colour::Off), Not(HasSubstr("\033")));
  EXPECT_THAT(to_text(summarize(two_stages()), Colour::On), AllOf(HasSubstr("\033[38;5;"), HasSubstr("\033[0m")));
}

} // namespace
} // namespace moesim::analysis
